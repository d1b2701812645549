package interop

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/stack"
)

// Server is the audio server that an end of ours runs with.
type Server string

// The servers.
const (
	Jackd         Server = "jackd"
	Native        Server = "PipeWire"
	NativeNew     Server = "PipeWire, newer"
	LibJack       Server = "PipeWire's libjack"
	LibJackNewer  Server = "PipeWire's libjack, newer"
	statusAddress        = "127.0.0.1:31000"
)

// Ends are both of our ends in a session. One runs with jackd on our machine, the other
// with another server on theirs.
type Ends struct {
	There   Server
	Guest   bool // the guest is the one there
	ToHost  int  // channels
	ToGuest int
}

// String says it as the table does.
func (e Ends) String() string {
	guest, host := Jackd, e.There
	if e.Guest {
		guest, host = host, guest
	}
	return fmt.Sprintf("guest beside %s, host beside %s", guest, host)
}

// AllEnds is every row of the table of our own ends.
func AllEnds() []Ends {
	return []Ends{
		{NativeNew, false, 2, 2},
		{Jackd, false, 2, 2},
		{LibJack, false, 2, 2},
		{LibJackNewer, false, 2, 2},
		{LibJack, true, 2, 2},
		{LibJackNewer, true, 2, 2},
		{Native, false, 9, 15},
		{Jackd, false, 15, 9},
		{Jackd, false, 64, 12},
		{Jackd, false, 2, 64},
	}
}

// end is one of the two while it runs.
type end struct {
	*stack.Stack
	role    proto.Role
	process *stack.Process
	jackd   *stack.Jackd // nil: PipeWire
	native  bool
	probe   *probe.Probe
	seed    uint64 // of what is played into it
	plays   Case   // what is played into it
	hears   Case
}

// RunEnds plays in both directions and judges what arrived on the host, and in the
// guest.
func (r *Rig) RunEnds(e Ends) (onHost, inGuest Result, err error) {
	here := &end{Stack: r.ours, role: proto.Guest, jackd: r.jackd, seed: 1}
	there := &end{Stack: r.theirs, role: proto.Host, seed: 1001}
	if e.Guest {
		here.role, there.role = there.role, here.role
	}
	for _, x := range []*end{here, there} {
		x.plays = Case{Encoding: proto.L24, RateHz: r.rateHz, Channels: e.ToHost}
		x.hears = Case{Encoding: proto.L24, RateHz: r.rateHz, Channels: e.ToGuest}
		if x.role == proto.Host {
			x.plays, x.hears = x.hears, x.plays
		}
	}
	if err := r.startServer(there, e.There); err != nil {
		return onHost, inGuest, err
	}
	if err := r.startOurs(here, ourAddress, theirAddress); err != nil {
		return onHost, inGuest, err
	}
	if err := r.startOurs(there, theirAddress, ourAddress); err != nil {
		return onHost, inGuest, err
	}
	results := map[proto.Role]*Result{proto.Host: &onHost, proto.Guest: &inGuest}
	for _, x := range []*end{here, there} {
		*results[x.role] = Result{Case: x.hears}
		if err := r.startEndProbe(x); err != nil {
			return onHost, inGuest, err
		}
	}
	time.Sleep(listenLeast)
	for begin := time.Now(); time.Since(begin) < listenMost-listenLeast; time.Sleep(time.Second) {
		if here.exact(r) && there.exact(r) {
			break
		}
	}
	time.Sleep(afterThat)
	for _, x := range []struct{ end, from *end }{{here, there}, {there, here}} {
		result := results[x.end.role]
		direction, err := x.end.receiving(r)
		if err != nil {
			return onHost, inGuest, err
		}
		result.LatencyMs, result.PPM = float64(direction.LatencyMs.Bridge), direction.RatioPPM
		heard, err := x.end.probe.FinishNow()
		if err != nil {
			return onHost, inGuest, err
		}
		result.Losses = len(heard.Losses()) + heard.Xruns
		result.judgeChannels(heard.Sound.Channels, x.from.seed)
	}
	return onHost, inGuest, nil
}

// startServer starts the server on their machine.
func (r *Rig) startServer(x *end, server Server) (err error) {
	if server == Jackd {
		x.jackd, err = x.StartJackd("there", periodFrames, r.rateHz)
		return err
	}
	if server == NativeNew || server == LibJackNewer {
		if err := r.useNewPipeWire(); err != nil {
			return err
		}
	}
	if r.pipewire, err = x.StartPipeWireAt(periodFrames, r.rateHz); err != nil {
		return err
	}
	if x.native = server == Native || server == NativeNew; x.native {
		_, err = x.StartWirePlumber()
	}
	return err
}

// startOurs starts one of our ends.
func (r *Rig) startOurs(x *end, address, peer string) (err error) {
	args := []string{
		r.bridge, string(x.role), "--listen", address + ":4713", "--status-listen", statusAddress, "--format", "L24", "--latency", latency.String(),
		"--send-channels", fmt.Sprint(x.plays.Channels), "--receive-channels", fmt.Sprint(x.hears.Channels),
	}
	if x.role == proto.Guest {
		args = append(args, "--peer", peer)
	}
	switch {
	case x.native:
		args = append(args, "--host-period", fmt.Sprint(periodFrames))
	case x.role == proto.Host:
		args = append(args, "--backend", "jack")
	}
	if x.jackd != nil {
		args = append(args, "--jack-server", x.jackd.Server)
	} else if !x.native {
		args = append([]string{"pw-jack", "-p", fmt.Sprint(periodFrames)}, args...)
	}
	x.process, err = x.Start("end", nil, args[0], args[1:]...)
	return err
}

// startEndProbe plays into an end and records what comes out of it.
func (r *Rig) startEndProbe(x *end) error {
	peer := proto.Guest
	if x.role == proto.Guest {
		peer = proto.Host
	}
	in, out := fmt.Sprintf("archibald-to-%s:", peer), fmt.Sprintf("archibald-from-%s:", peer)
	config := probe.Config{
		Binary: r.probe, Name: "end-probe", PeriodFrames: periodFrames, Inputs: x.hears.Channels,
		Outputs: signals(x.plays, x.seed), Duration: listenMost + outlast,
	}
	var links [][2]string
	if x.native {
		inputs, err := r.awaitPorts(in, x.plays.Channels)
		if err != nil {
			return err
		}
		outputs, err := r.awaitPorts(out, x.hears.Channels)
		if err != nil {
			return err
		}
		for i, port := range inputs {
			links = append(links, [2]string{fmt.Sprintf("end-probe:out_%d", i+1), port})
		}
		for i, port := range outputs {
			links = append(links, [2]string{port, fmt.Sprintf("end-probe:in_%d", i+1)})
		}
	} else {
		for i := range x.plays.Channels {
			links = append(links, [2]string{fmt.Sprintf("end-probe:out_%d", i+1), fmt.Sprintf("%sin_%d", in, i+1)})
		}
		for i := range x.hears.Channels {
			links = append(links, [2]string{fmt.Sprintf("%sout_%d", out, i+1), fmt.Sprintf("end-probe:in_%d", i+1)})
		}
	}
	if x.jackd != nil {
		config.JackServer, config.Connect = x.jackd.Server, links
	}
	var err error
	if x.probe, err = probe.Start(x.Stack, config); err != nil || x.jackd != nil {
		return err
	}
	for _, link := range links {
		if err := x.PipeWireConnect(link[0], link[1]); err != nil {
			return fmt.Errorf("%w: %s", err, x.process.LogTail())
		}
	}
	return nil
}

func (x *end) receiving(r *Rig) (status.Direction, error) {
	var s status.Status
	command, err := x.Command(r.bridge, "status", "--json", "--address", statusAddress)
	if err != nil {
		return status.Direction{}, err
	}
	text, err := command.Output()
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		err = fmt.Errorf("status of the %s: %w: %s", x.role, err, x.process.LogTail())
	}
	return s.Directions.Receive, err
}

func (x *end) exact(r *Rig) bool {
	d, err := x.receiving(r)
	return err == nil && d.RatioPPM == 0 && d.BufferFrames > 0
}

// RunAllEnds runs every pair, each in a rig of its own, and tells of both directions.
func RunAllEnds(options Options, all []Ends, tell func(e Ends, onHost, inGuest Result)) error {
	for _, e := range all {
		for attempt := 1; ; attempt++ {
			onHost, inGuest, err := runEnds(options, e)
			if err != nil && attempt >= attempts {
				return fmt.Errorf("%s: %w", e, err)
			}
			if err == nil && (onHost.Exact() && inGuest.Exact() || attempt >= attempts) {
				tell(e, onHost, inGuest)
				break
			}
		}
	}
	return nil
}

func runEnds(options Options, e Ends) (onHost, inGuest Result, err error) {
	r, err := New(48000, options)
	if err != nil {
		return onHost, inGuest, err
	}
	defer func() {
		if closeErr := r.Close(); err == nil {
			err = closeErr
		}
	}()
	return r.RunEnds(e)
}

// EndsTable is the results as Markdown.
func EndsTable(rows []string) string {
	return "| our ends | to the host | to the guest | on the host | in the guest |\n|---|---|---|---|---|\n" + strings.Join(rows, "")
}

// EndsRow is a row of it.
func EndsRow(e Ends, onHost, inGuest Result) string {
	return fmt.Sprintf("%s %s | %s |\n", rowOfEnds(e), onHost.Verdict(), inGuest.Verdict())
}

func rowOfEnds(e Ends) string {
	return fmt.Sprintf("| %s | %d channels | %d channels |", e, e.ToHost, e.ToGuest)
}
