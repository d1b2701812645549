package interop

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/stack"
)

// The two machines.
const (
	ourAddress   = "10.47.12.1"
	theirAddress = "10.47.12.2"
)

// periodFrames is the period of all servers at 44.1 and 48 kHz.
const periodFrames = 256

// periodAt is about as long at any rate: this is no test of servers.
func periodAt(rateHz int) int {
	if rateHz > 48000 {
		return 2 * periodFrames
	}
	return periodFrames
}

// latency is what our receivers are given: ffmpeg sends in bursts of 21 ms.
const latency = 100 * time.Millisecond

// Rig is both machines, for cases of one sample rate.
type Rig struct {
	ours, theirs *stack.Stack
	jackd        *stack.Jackd
	pipewire     *stack.Process // theirs; nil: not yet
	rateHz       int
	options      Options
	bridge       string // the programs under test
	probe        string
	runs         int // cases so far: each has names and ports of its own
}

// Options are what a machine may have in addition to its distribution's programs.
type Options struct {
	// NewPipeWire is the directory that a newer PipeWire was unpacked into (dpkg -x);
	// "": there is none.
	NewPipeWire string
}

// New starts the machines, a JACK server on ours, and nothing on theirs.
func New(rateHz int, options Options) (*Rig, error) {
	r := &Rig{rateHz: rateHz, options: options}
	for _, s := range []**stack.Stack{&r.ours, &r.theirs} {
		var err error
		if *s, err = stack.New(); err == nil {
			err = (*s).Isolate()
		}
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	err := stack.Join(r.ours, r.theirs, ourAddress, theirAddress)
	if err == nil {
		err = r.build()
	}
	if err == nil {
		err = r.ours.Quiet()
	}
	if err == nil {
		r.jackd, err = r.ours.StartJackd("interop", periodAt(rateHz), rateHz)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Rig) build() (err error) {
	r.bridge = filepath.Join(r.ours.Dir, "archibald-bridge")
	if err := stack.Build(r.bridge, "archibald-bridge"); err != nil {
		return err
	}
	r.probe, err = probe.Build(r.ours.Dir)
	return err
}

// Close stops everything.
func (r *Rig) Close() error {
	var all []error
	for _, s := range []*stack.Stack{r.ours, r.theirs} {
		if s != nil {
			all = append(all, s.Close())
		}
	}
	return errors.Join(all...)
}

// run is a case that is being run.
type run struct {
	Case
	number int
	name   string // of our end, and of the session
	port   int    // that the stream goes to; RTCP is on the next one
	seed   uint64 // of its noise
	sdp    string // the file that describes the stream
	raw    string // the file that the peer plays or records
	end    *stack.Process
	peer   *stack.Process // nil: PipeWire, which serves all cases
	links  [][2]string    // between PipeWire's module and its probe
	status status.Direction
}

func (r *Rig) newRun(c Case) *run {
	n := r.runs
	r.runs++
	name := fmt.Sprintf("case%d", n)
	return &run{
		Case: c, number: n, name: name, port: 20000 + 2*n, seed: uint64(1000 * (n + 1)),
		sdp: filepath.Join(r.ours.Dir, name+".sdp"), raw: filepath.Join(r.ours.Dir, name+".raw"),
	}
}

// startEnd starts our end of a case.
func (r *Rig) startEnd(c *run) (err error) {
	args := []string{
		"guest", "--jack-server", r.jackd.Server, "--name", c.name, "--status-listen", fmt.Sprintf("127.0.0.1:%d", 30000+c.number),
		"--latency", latency.String(),
	}
	switch {
	case c.Direction == Send:
		args = append(args, "--static", "--peer", fmt.Sprintf("%s:%d", c.destination(), c.port), "--format", string(c.Encoding),
			"--channels", fmt.Sprint(c.Channels), "--sdp-out", c.sdp, "--listen", fmt.Sprintf("%s:%d", ourAddress, 40000+2*c.number))
		if c.Ptime != 0 {
			args = append(args, "--ptime", c.Ptime.String())
		}
		if c.announced() {
			args = append(args, "--sap-announce")
		}
	case c.announced():
		args = append(args, "--sap-receive", c.name)
	default:
		args = append(args, "--sdp-in", c.sdp)
	}
	c.end, err = r.ours.Start("end-"+c.name, nil, r.bridge, args...)
	return err
}

// announced says that the two find each other by SAP, in a multicast group: the
// PipeWire of Debian 12 knows no other way.
func (c Case) announced() bool { return c.Peer == PipeWire || c.Peer == PipeWireNew }

// destination is where the case's stream goes.
func (c *run) destination() string {
	switch {
	case c.announced():
		return fmt.Sprintf("239.69.12.%d", c.number)
	case c.Direction == Send:
		return theirAddress
	}
	return ourAddress
}

// ports are those of our end that the sound goes in or comes out of.
func (c *run) ports() []string {
	all := make([]string, c.Channels)
	for i := range all {
		all[i] = fmt.Sprintf("archibald-%s-to-host:in_%d", c.name, i+1)
		if c.Direction == Receive {
			all[i] = fmt.Sprintf("archibald-%s-from-host:out_%d", c.name, i+1)
		}
	}
	return all
}

// readStatus asks our end for its state.
func (r *Rig) readStatus(c *run) error {
	command, err := r.ours.Command(r.bridge, "status", "--json", "--address", fmt.Sprintf("127.0.0.1:%d", 30000+c.number))
	if err != nil {
		return err
	}
	text, err := command.Output()
	if err != nil {
		return fmt.Errorf("%s: status: %w", c.Case, err)
	}
	var s status.Status
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("%s: status: %w", c.Case, err)
	}
	c.status = s.Directions.Receive
	if c.Direction == Send {
		c.status = s.Directions.Send
	}
	return nil
}

// until waits for something that takes a moment.
func until(what string, ok func() bool) error {
	for range 200 {
		if ok() {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("no %s after 10 s", what)
}

// exists says that a file is there and not empty.
func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

func says(p *stack.Process, text string) func() bool {
	return func() bool {
		log, err := os.ReadFile(p.Log)
		return err == nil && strings.Contains(string(log), text)
	}
}
