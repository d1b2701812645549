package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"archibald-bridge/benchmarks/fingerprint"
	"archibald-bridge/benchmarks/results"
	"archibald-bridge/testbed/stack"
	"archibald-bridge/testbed/stalls"
)

// hoursOptions are those of `peers hours`.
type hoursOptions struct {
	length, stallEvery time.Duration
	skewPPM            float64
	seed               uint64
	latency, out       string
}

func parseHours(args []string) (hoursOptions, error) {
	flags := flag.NewFlagSet("peers hours", flag.ContinueOnError)
	var o hoursOptions
	flags.DurationVar(&o.length, "length", 2*time.Hour, "how long the round trips are watched, 1m to 48h")
	flags.DurationVar(&o.stallEvery, "stall-every", time.Minute, "how often, on average, the machine stands still, 1s at least")
	flags.Float64Var(&o.skewPPM, "skew", 100, "how many `PPM` the host's clock is fast")
	flags.Uint64Var(&o.seed, "seed", 1, "`NUMBER` that the moments and lengths of the stalls follow from")
	flags.StringVar(&o.latency, "latency", "80frames", "ours, as --latency says it")
	flags.StringVar(&o.out, "out", filepath.Join("benchmarks", "results", "hours", time.Now().Format(time.DateOnly)+"-hours.json"), "the `FILE` of the readings")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("argument %q: only flags are legal", flags.Arg(0))
	case o.length < time.Minute || o.length > 48*time.Hour:
		return o, fmt.Errorf("-length %v: legal are 1m to 48h", o.length)
	case o.stallEvery < time.Second:
		return o, fmt.Errorf("-stall-every %v: legal are 1s and more", o.stallEvery)
	case !(o.skewPPM >= -1000 && o.skewPPM <= 1000):
		return o, fmt.Errorf("-skew %v: legal are -1000 to 1000", o.skewPPM)
	}
	return o, nil
}

// stallPlan is when the machine will stand still and for how long, the same for the same
// seed: independent of each other, 2 to 20 ms, none in the first 20 s, in which bridges
// settle.
func stallPlan(seed uint64, length, every time.Duration) []results.Stall {
	random := rand.New(rand.NewPCG(seed, 0))
	var all []results.Stall
	const calm = 20
	for at := calm + random.ExpFloat64()*every.Seconds(); at < length.Seconds(); at += random.ExpFloat64() * every.Seconds() {
		all = append(all, results.Stall{AtSeconds: tenth(at), Ms: tenth(2 + 18*random.Float64())})
	}
	return all
}

func tenth(v float64) float64 { return float64(int64(v*10+0.5)) / 10 }

// hours watches the round trips of netadapter and of ours, at once between the same two
// JACK servers, on a machine that stands still now and then.
func hours(o hoursOptions) (err error) {
	if err := alone(); err != nil {
		return err
	}
	state, err := commit()
	if err != nil {
		return err
	}
	at := places[0]
	h := results.Hours{
		Schema: 1, Date: time.Now().Format(time.DateOnly), Commit: state, RateHz: at.rateHz, PeriodFrames: at.periodFrames,
		SkewPPM: o.skewPPM, Seconds: o.length.Seconds(), Seed: o.seed,
	}
	if h.Machine, err = fingerprint.Machine(packages...); err != nil {
		return err
	}
	fmt.Print(fingerprint.Text(h.Machine))
	s, err := stack.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var programs tools
	if err := programs.build(s.Dir); err != nil {
		return err
	}
	if err := s.Quiet(); err != nil {
		return err
	}
	p, err := newPair(programs, jackServers, at, o.skewPPM)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	watched, err := p.startBoth(o.latency)
	if err != nil {
		return err
	}
	return watch(&h, watched, o)
}

// watched is one of the bridges whose round trip is read.
type watched struct {
	*bridge
	run    results.HoursRun
	delay  *stack.Process
	offset int64 // in jack_iodelay's log: what was read
}

// startBoth starts netadapter and ours between the same servers, and jack_iodelay through
// each of them.
func (p *pair) startBoth(latency string) ([]*watched, error) {
	if err := p.startJackd(); err != nil {
		return nil, err
	}
	const netAdapterSetting = "-l 0"
	adapter, err := p.addNetAdapter(netAdapterSetting)
	if err != nil {
		return nil, err
	}
	ours, err := p.addOurs(freeClocks, nil, latency)
	if err != nil {
		return nil, err
	}
	all := []*watched{
		{bridge: ours, run: results.HoursRun{System: results.Ours, Setting: latency}},
		{bridge: adapter, run: results.HoursRun{System: "netadapter", Setting: netAdapterSetting}},
	}
	time.Sleep(usualSettle)
	for i, w := range all {
		w.run.Commands = w.commands()
		if w.delay, err = p.guest.StartPatiently(fmt.Sprintf("iodelay-%d", i), []string{"JACK_DEFAULT_SERVER=" + p.guest.jack()}, "stdbuf", "-oL", "jack_iodelay"); err != nil {
			return nil, err
		}
		client := ioDelay
		if i > 0 {
			client = fmt.Sprintf("%s-%02d", ioDelay, i) // as JACK tells two of one name apart
		}
		for _, link := range [][2]string{{client + ":out", w.in[0]}, {w.out[0], client + ":in"}} {
			if err := p.guest.JackConnect(p.guest.jack(), link[0], link[1]); err != nil {
				return nil, err
			}
		}
		if err := p.host.JackConnect(p.host.jack(), w.loop[0][0], w.loop[0][1]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// watch reads the round trips once a second, makes the stalls, and writes the file every
// minute. An interrupt ends it early; what was read stays.
func watch(h *results.Hours, all []*watched, o hoursOptions) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	planned := stallPlan(o.seed, o.length, o.stallEvery)
	begin := time.Now()
	for _, w := range all {
		w.offset = size(w.delay.Log)
	}
	for second := 1; second <= int(o.length.Seconds()); second++ {
		for len(planned) > 0 && planned[0].AtSeconds < float64(second) {
			stall := planned[0]
			planned = planned[1:]
			select {
			case <-stop:
				h.Seconds = float64(second)
				return writeHours(o.out, collected(*h, all))
			case <-time.After(time.Until(begin.Add(time.Duration(stall.AtSeconds * float64(time.Second))))):
			}
			if err := stalls.Freeze(time.Duration(stall.Ms * float64(time.Millisecond))); err != nil {
				return err
			}
			h.Stalls = append(h.Stalls, stall)
		}
		select {
		case <-stop:
			h.Seconds = float64(second)
			return writeHours(o.out, collected(*h, all))
		case <-time.After(time.Until(begin.Add(time.Duration(second) * time.Second))):
		}
		for _, w := range all {
			if err := w.read(second); err != nil {
				return err
			}
		}
		if second%60 == 0 {
			fmt.Printf("%4d min: %s\n", second/60, lastOf(all))
			if err := writeHours(o.out, collected(*h, all)); err != nil {
				return err
			}
		}
	}
	return writeHours(o.out, collected(*h, all))
}

// read takes what jack_iodelay has said since the last time.
func (w *watched) read(second int) error {
	// Whole readings only: the rest is read the next time.
	frames, upTo, err := readingsUpTo(w.delay.Log, w.offset)
	if err != nil {
		return err
	}
	w.offset = upTo
	if len(frames) > 0 {
		w.run.Seconds = append(w.run.Seconds, float64(second))
		w.run.RoundTripFrames = append(w.run.RoundTripFrames, tenth(results.Median(frames)))
	}
	if w.run.Error == "" {
		for _, p := range append(slices.Clone(w.processes), w.delay) {
			if !p.Alive() {
				w.run.Error = fmt.Sprintf("after %d s %s has ended: %s", second, p.Name, p.LogTail())
			}
		}
	}
	return nil
}

// lastOf is the last reading of each bridge.
func lastOf(all []*watched) (text string) {
	for _, w := range all {
		last := "nothing"
		if n := len(w.run.RoundTripFrames); n > 0 && w.run.Error == "" {
			last = fmt.Sprintf("%.1f frames", w.run.RoundTripFrames[n-1])
		}
		text += fmt.Sprintf("%s %s; ", w.run.System, last)
	}
	return text
}

func collected(h results.Hours, all []*watched) results.Hours {
	h.Runs = nil
	for _, w := range all {
		h.Runs = append(h.Runs, w.run)
	}
	return h
}

// writeHours replaces the file: at no moment is there half of one.
func writeHours(path string, h results.Hours) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
