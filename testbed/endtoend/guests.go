package endtoend

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/stack"
)

// MostGuests is how many guests have tones of their own.
const MostGuests = 8

// The tones of each guest: what it sends to the host, and what it hears from there.
var (
	fromGuestHz = [MostGuests]float64{401, 443, 487, 541, 587, 631, 683, 739}
	toGuestHz   = [MostGuests]float64{797, 853, 907, 967, 1021, 1087, 1151, 1213}
)

// House is several guest ends, each with a name of its own, and one host end that
// serves them all. The last guest has a jackd for itself, so that it can die: jackd
// makes all its clients wait for one that does. The others share one.
type House struct {
	*stack.Stack
	PeriodFrames int
	RateHz       int  // of all servers
	Ask          bool // as Config.Ask
	Guests       []*stack.Process
	Host         *stack.Process
	hostServer   string // the JACK server that the host is on; "": PipeWire

	binary, probe string
	port          int
	side          string // the first channel's name in PipeWire
}

// The two JACK servers, and how many guests each has.
var houseServers = [2]string{"many", "alone"}

func (h *House) guestsOf(server int) (first, end int) {
	if last := len(h.Guests) - 1; server == 0 {
		return 0, last
	} else {
		return last, last + 1
	}
}

// NewHouse builds the programs and starts the servers, at one rate and period, and all
// ends, with so many channels each; the tones are on the first. The host is on PipeWire.
func NewHouse(guests, rateHz, periodFrames, channels int, flags ...string) (h *House, err error) {
	return newHouse(false, guests, rateHz, periodFrames, channels, flags...)
}

func newHouse(onJACK bool, guests, rateHz, periodFrames, channels int, flags ...string) (h *House, err error) {
	h = &House{PeriodFrames: periodFrames, RateHz: rateHz, Guests: make([]*stack.Process, guests)}
	h.side, _ = sides(channels)
	flags = append([]string{"--channels", fmt.Sprint(channels)}, flags...)
	if h.Stack, err = stack.New(); err != nil {
		return nil, err
	}
	servers := h.Stack // h is nil when an error is returned
	defer func() {
		if err != nil {
			_ = servers.Close()
		}
	}()
	h.binary = filepath.Join(h.Dir, "archibald-bridge")
	if err = stack.Build(h.binary, "archibald-bridge"); err != nil {
		return nil, err
	}
	if h.probe, err = probe.Build(h.Dir); err != nil {
		return nil, err
	}
	if h.port, err = FreePort(); err != nil {
		return nil, err
	}
	if err = h.Quiet(); err != nil {
		return nil, err
	}
	for _, server := range houseServers {
		if _, err = h.StartJackd(server, periodFrames, rateHz); err != nil {
			return nil, err
		}
	}
	backend, err := h.startHostsServer(onJACK)
	if err != nil {
		return nil, err
	}
	if h.Host, err = h.Start("bridge-host", nil, h.binary, slices.Concat([]string{"host", "--guests", fmt.Sprint(guests),
		"--listen", fmt.Sprintf("%s:%d", Address(proto.Host), h.port), "--status-listen", statusAddress(proto.Host)}, backend, flags)...); err != nil {
		return nil, err
	}
	for server, name := range houseServers {
		for i, end := h.guestsOf(server); i < end; i++ {
			if h.Guests[i], err = h.Start("bridge-"+guestName(i), nil, h.binary, append([]string{"guest", "--jack-server", stack.JackServerName(name),
				"--name", guestName(i), "--listen", fmt.Sprintf("%s:%d", Address(proto.Guest), h.port+i), "--status-listen", statusAddressOf(proto.Guest, i),
				"--peer", fmt.Sprintf("%s:%d", Address(proto.Host), h.port)}, flags...)...); err != nil {
				return nil, err
			}
		}
	}
	return h, h.WaitUp(20 * time.Second)
}

// startHostsServer starts the host's audio server and returns the flags for it.
func (h *House) startHostsServer(onJACK bool) (flags []string, err error) {
	if onJACK {
		jackd, err := h.StartJackd("host", h.PeriodFrames, h.RateHz)
		if err != nil {
			return nil, err
		}
		h.hostServer = jackd.Server
		return []string{"--backend", "jack", "--jack-server", jackd.Server}, nil
	}
	if _, err := h.StartPipeWireAt(h.PeriodFrames, h.RateHz); err != nil {
		return nil, err
	}
	_, err = h.StartWirePlumber()
	return []string{"--host-period", fmt.Sprint(h.PeriodFrames)}, err
}

// hostPorts are the ports of a guest's first channel on the host: what its sound comes
// out of, and what sound to it goes into.
func (h *House) hostPorts(i int) (from, to string) {
	from, to = "archibald-"+guestName(i)+"-from-guest:", "archibald-"+guestName(i)+"-to-guest:"
	if h.hostServer != "" {
		return from + "out_1", to + "in_1"
	}
	return from + "output_" + h.side, to + "playback_" + h.side
}

func guestName(i int) string { return fmt.Sprintf("g%d", i+1) }

// Status asks the host for its state.
func (h *House) Status() (s status.Status, err error) { return askStatus(statusAddress(proto.Host)) }

// allStatus asks all that run: the host's ends and the guests.
func (h *House) allStatus() ([]status.Status, error) {
	host, err := h.Status()
	if err != nil {
		return nil, err
	}
	all := host.Guests
	for i := range h.Guests {
		if s, err := askStatus(statusAddressOf(proto.Guest, i)); err == nil {
			all = append(all, s)
		}
	}
	return all, nil
}

// WaitUp waits until the host plays every guest's sound.
func (h *House) WaitUp(timeout time.Duration) error {
	for deadline := time.Now().Add(timeout); ; time.Sleep(50 * time.Millisecond) {
		s, err := h.Status()
		up := 0
		for _, guest := range s.Guests {
			if d := guest.Directions.Receive; d.State == status.DirectionRunning && d.BufferFrames > 0 {
				up++
			}
		}
		if err == nil && up == len(h.Guests) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d guests are heard after %s (%v)\nhost: %s\nlast guest: %s", up, len(h.Guests), timeout, err,
				h.Host.LogTail(), h.Guests[len(h.Guests)-1].LogTail())
		}
	}
}

// HeardGuest is what crossed the bridge of one guest, in both directions.
type HeardGuest struct{ AtHost, AtGuest Heard }

// Crowd is sound of and to all guests at once, judged.
type Crowd struct {
	Guests       []HeardGuest
	Witnesses    []signal.TimedGap // of the host and of the guests' servers
	StalledShare float64           // as Duplex.StalledShare
}

// Play lets every guest and the host play their tones to each other for a time, runs
// meanwhile, and judges what arrived. buffer is how long sound stays in the bridge.
func (h *House) Play(duration, buffer time.Duration, meanwhile func() error) (*Crowd, error) {
	var host *recording.Recording
	var guests [2]*recording.Recording
	var told []signal.TimedGap
	stalled, err := stallsDuring(h.PeriodFrames, h.RateHz, func() (err error) {
		told, err = toldDuring(h.Ask, h.allStatus, func() (err error) {
			host, guests, err = h.record(duration, meanwhile)
			return err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return h.judge(host, guests, buffer, stalled, told)
}

// Peaks lets all play as Play does, and returns how loud each guest is at the host,
// and the host at each guest: the peak of the last second, 1.0 is 0 dBFS.
func (h *House) Peaks(duration time.Duration) (atHost, atGuests []float64, err error) {
	host, guests, err := h.record(duration, func() error { return nil })
	if err != nil {
		return nil, nil, err
	}
	for server, r := range guests {
		first, end := h.guestsOf(server)
		for i := first; i < end; i++ {
			atHost = append(atHost, lastPeak(host.Sound.Channels[i], host.RateHz))
			atGuests = append(atGuests, lastPeak(r.Sound.Channels[i-first], r.RateHz))
		}
	}
	return atHost, atGuests, nil
}

func lastPeak(samples []float32, rateHz int) (peak float64) {
	for _, x := range samples[max(0, len(samples)-rateHz):] {
		peak = max(peak, math.Abs(float64(x)))
	}
	return peak
}

func (h *House) record(duration time.Duration, meanwhile func() error) (atHost *recording.Recording, atGuests [2]*recording.Recording, err error) {
	host, err := h.playAtHost(duration + outlast)
	if err != nil {
		return nil, atGuests, err
	}
	var guests [2]*probe.Probe
	for server := range guests {
		if guests[server], err = h.playAtGuests(server, duration); err != nil {
			return nil, atGuests, err
		}
	}
	begun := time.Now()
	if err := meanwhile(); err != nil {
		return nil, atGuests, err
	}
	time.Sleep(duration - time.Since(begun))
	for server, p := range guests {
		if atGuests[server], err = p.Finish(); err != nil {
			return nil, atGuests, err
		}
	}
	if atHost, err = host.FinishNow(); err != nil {
		return nil, atGuests, err
	}
	for _, guest := range atGuests { // they stopped playing first
		atHost.CutAt(guest.EndNs())
	}
	return atHost, atGuests, nil
}

// SetControl runs wpctl on a node, as a user does: "set-volume" "0.5".
func (h *House) SetControl(node, control, value string) error {
	command, err := h.Command("pw-dump")
	if err != nil {
		return err
	}
	text, err := command.Output()
	if err != nil {
		return err
	}
	var objects []struct {
		ID   int
		Info struct{ Props map[string]any }
	}
	if err := json.Unmarshal(text, &objects); err != nil {
		return err
	}
	for _, object := range objects {
		if object.Info.Props["node.name"] != node {
			continue
		}
		if command, err = h.Command("wpctl", control, fmt.Sprint(object.ID), value); err != nil {
			return err
		}
		return command.Run()
	}
	return fmt.Errorf("no node %s", node)
}

// playAtHost plays each guest's tone, and the witness behind them.
func (h *House) playAtHost(duration time.Duration) (*probe.Probe, error) {
	n := len(h.Guests)
	config := probe.Config{Binary: h.probe, Name: "host-probe", PeriodFrames: h.PeriodFrames, RateHz: h.RateHz, JackServer: h.hostServer,
		Duration: duration, Inputs: n + 1}
	var links [][2]string
	for i := range n {
		config.Outputs = append(config.Outputs, probe.Tone(toGuestHz[i], toneDBFS))
		from, to := h.hostPorts(i)
		links = append(links, [2]string{fmt.Sprintf("host-probe:out_%d", i+1), to}, [2]string{from, fmt.Sprintf("host-probe:in_%d", i+1)})
	}
	config.Outputs = append(config.Outputs, probe.Tone(witnessHz, toneDBFS))
	links = append(links, [2]string{fmt.Sprintf("host-probe:out_%d", n+1), fmt.Sprintf("host-probe:in_%d", n+1)})
	if h.hostServer != "" {
		config.Connect = links
		return probe.Start(h.Stack, config)
	}
	p, err := probe.Start(h.Stack, config)
	if err != nil {
		return nil, err
	}
	for _, link := range links {
		if err := h.PipeWireConnect(link[0], link[1]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// playAtGuests does the same in one of the JACK servers.
func (h *House) playAtGuests(server int, duration time.Duration) (*probe.Probe, error) {
	first, end := h.guestsOf(server)
	name := "guest-probe-" + houseServers[server]
	config := probe.Config{Binary: h.probe, Name: name, JackServer: stack.JackServerName(houseServers[server]), Duration: duration, Inputs: end - first + 1}
	for i := first; i < end; i++ {
		config.Outputs = append(config.Outputs, probe.Tone(fromGuestHz[i], toneDBFS))
		port := i - first + 1
		config.Connect = append(config.Connect, [2]string{fmt.Sprintf("%s:out_%d", name, port), "archibald-" + guestName(i) + "-to-host:in_1"},
			[2]string{"archibald-" + guestName(i) + "-from-host:out_1", fmt.Sprintf("%s:in_%d", name, port)})
	}
	config.Outputs = append(config.Outputs, probe.Tone(witnessHz, toneDBFS))
	config.Connect = append(config.Connect, [2]string{fmt.Sprintf("%s:out_%d", name, end-first+1), fmt.Sprintf("%s:in_%d", name, end-first+1)})
	return probe.Start(h.Stack, config)
}

func (h *House) judge(host *recording.Recording, guests [2]*recording.Recording, buffer time.Duration, stalled, told []signal.TimedGap) (*Crowd, error) {
	n := len(h.Guests)
	c := &Crowd{Guests: make([]HeardGuest, n), Witnesses: append(witness(host, n, witnessHz), losses(host)...)}
	c.StalledShare = stalledShare(guests[0], stalled, buffer)
	tones := append(append(fromGuestHz[:n:n], toGuestHz[:n]...), witnessHz)
	for server, r := range guests {
		first, end := h.guestsOf(server)
		failures := append(witness(r, end-first, witnessHz), losses(r)...)
		if server == 0 {
			c.Witnesses = append(c.Witnesses, failures...)
		}
		// Of each guest, what its own servers failed in is an excuse.
		excuses := slices.Concat(c.Witnesses, failures, stalled, told)
		for i := first; i < end; i++ {
			var err error
			if c.Guests[i].AtHost, err = judge("from "+guestName(i), host, i, fromGuestHz[i], tones, buffer, excuses); err != nil {
				return nil, err
			}
			if c.Guests[i].AtGuest, err = judge("to "+guestName(i), r, i-first, toGuestHz[i], tones, buffer, excuses); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}
