package main

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"archibald-bridge/benchmarks/results"
	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/skew"
	"archibald-bridge/testbed/stack"
)

// One whole run on real servers: what it records must be there and sane. How
// good it is depends on the machine.
func TestARunOfOursIsHeardMeasuredAndSkewed(t *testing.T) {
	var programs tools
	if err := programs.build(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	ours, err := find("archibald-bridge")
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(ours, func(s *system) bool { return s.servers == mixedServers && s.follows == neither })
	const periodFrames, rateHz = 256, 48000
	var r results.Run
	failures := math.MaxInt
	// Again, where the servers failed so often that their clocks can hardly be told.
	const attempts = 3
	used := 0
	for used < attempts && failures >= 5 {
		used++
		again := trial{system: ours[at], setting: "4800frames", place: place{periodFrames, rateHz}, skewPPM: 500}.try(programs, 6*time.Second)
		if again.Error != "" {
			t.Fatal(again.Error)
		}
		t.Log(summary(again))
		if n := again.WitnessGapsGuest + again.WitnessGapsHost; n < failures {
			r, failures = again, n
		}
	}
	gate.Attempts(t, used, attempts)
	if r.SoundShare < 0.5 || len(r.RoundTripFrames) == 0 {
		t.Fatalf("%.0f %% sound, %d readings", 100*r.SoundShare, len(r.RoundTripFrames))
	}
	trip := slices.Sorted(slices.Values(r.RoundTripFrames))[len(r.RoundTripFrames)/2]
	// Each way is held to what was asked for; how exactly is a matter of virtual time.
	if math.Abs(trip-2*4800) > periodFrames {
		t.Errorf("round trip %.1f frames of two ways of 4800", trip)
	}
	// A server that fails and starts again within half a period does not say so: that
	// time is missing from its clock.
	unsaidPPM := 1e6 * float64(failures*periodFrames/2) / (6 * rateHz)
	if math.Abs(r.SkewMeasuredPPM-500) > 100+unsaidPPM {
		t.Errorf("skew %.1f ppm, asked for 500; %d failures of the servers hide %.1f ppm", r.SkewMeasuredPPM, failures, unsaidPPM)
	}
	if r.PacketsPerSecond < 100 || r.KbitPerSecond < 1000 || r.CPUPercent <= 0 || len(r.Status) < 100 {
		t.Errorf("%.0f packets/s, %.0f kbit/s, %.1f %% CPU, status of %d bytes", r.PacketsPerSecond, r.KbitPerSecond, r.CPUPercent, len(r.Status))
	}
	if len(r.Commands) != 2 || !strings.HasPrefix(r.Commands[0], "archibald-bridge host --allow ") {
		t.Errorf("commands %q", r.Commands)
	}
}

// What is added is what is more than the control's loop, so each graph must have one that is
// heard, JACK's and PipeWire's.
func TestTheControlIsHeardInBothGraphs(t *testing.T) {
	programs := tools{open: stack.NewShared} // a graph's delay is the same on a busy machine
	if err := programs.build(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(systems, func(s *system) bool { return s.name == results.Control && s.servers == mixedServers })
	control := trial{system: systems[at], setting: "none", place: place{256, 48000}}
	// Again, where servers failed and nothing was read. The sound itself is not judged.
	const attempts = 3
	var r results.Run
	used := 0
	for used < attempts && (len(r.RoundTripFrames) == 0 || len(r.HostRoundTripFrames) == 0) {
		used++
		r = results.Run{Seconds: 5}
		p, err := newPair(programs, control.system.servers, control.place, 0)
		if err == nil {
			_, err = control.measure(p, &r)
			if err := p.close(); err != nil {
				t.Error(err)
			}
		}
		if err != nil {
			t.Log(err)
		}
	}
	gate.Attempts(t, used, attempts)
	if guest, host := results.Median(r.RoundTripFrames), results.Median(r.HostRoundTripFrames); math.Round(guest) != 256 || math.Round(host) != 256 {
		t.Errorf("%.1f and %.1f frames, want one period in both", guest, host)
	}
}

func TestAProgramThatDoesNotStartFailsTheRun(t *testing.T) {
	programs := tools{open: stack.NewShared}
	if err := programs.build(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	broken := &system{name: "broken", servers: jackServers, start: func(p *pair, _ string) (*bridge, error) {
		b := &bridge{}
		return b, b.start(p.guest, "broken", "false")
	}}
	if r := (trial{system: broken, place: places[0]}).run(programs, 5*time.Second); !strings.Contains(r.Error, "broken does not stay") {
		t.Errorf("error %q", r.Error)
	}
}

// Those peers that need nothing but the servers. How they are started is checked by what
// they then offer: the ports that sound is led through.
func TestPeersThatComeWithTheServersOfferTheirPorts(t *testing.T) {
	programs := tools{open: stack.NewShared}
	var err error
	if programs.skew, err = skew.Build(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"netjack2", "netone", "netadapter", "pipewire-rtp"} {
		t.Run(name, func(t *testing.T) {
			found, err := find(name)
			if err != nil {
				t.Fatal(err)
			}
			p, err := newPair(programs, found[0].servers, place{256, 48000}, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := p.close(); err != nil {
					t.Error(err)
				}
			}()
			b, err := found[0].start(p, found[0].settings[places[0]][0])
			if err != nil {
				t.Fatal(err)
			}
			var missing []string
			for range 60 { // RTP's sessions are announced now and then
				time.Sleep(500 * time.Millisecond)
				if missing = absent(t, p, b); len(missing) == 0 {
					return
				}
			}
			t.Errorf("not there: %q", missing)
		})
	}
}

// absent are the ports of a bridge that its servers do not have.
func absent(t *testing.T, p *pair, b *bridge) (missing []string) {
	t.Helper()
	wanted := map[machine][]string{p.guest: append(b.in[:], b.out[:]...), p.host: slices.Concat(b.loop[0][:], b.loop[1][:])}
	for m, ports := range wanted {
		// As the probes see them: PipeWire's own programs call nodes by other names.
		list := []string{"jack_lsp", "-s", m.jack()}
		if m.jackd == nil {
			list = []string{"pw-jack", "jack_lsp"}
		}
		command, err := m.Command(list[0], list[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		text, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Split(string(text), "\n")
		for _, port := range ports {
			if !slices.Contains(all, port) {
				missing = append(missing, port)
			}
		}
	}
	return missing
}
