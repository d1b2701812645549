// Command jackprobe is one JACK client that plays known signals and records
// what it hears, with the time of every cycle. It runs on jackd2 and, started
// by pw-jack, on PipeWire.
//
//	jackprobe --name witness --server guest --tone 441,-12 --inputs 2 \
//	    --connect witness:out_1,witness:in_1 --duration 60s --output /tmp/witness
//
// It starts recording when every --connect stands, records for --duration,
// writes /tmp/witness.wav and /tmp/witness.json (package recording), and ends.
// SIGTERM or SIGINT end it early, with what it has. Exit codes: 0 fine, 1
// failed or the server went away (what was heard is written), 2 wrong usage.
package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// output is what one output port plays.
type output struct {
	noise     bool
	float     bool // noise: 32-bit floats in place of the L24 grid
	hz        float64
	amplitude float64
	seed      uint64
}

type options struct {
	name     string
	server   string
	outputs  []output
	inputs   int
	connect  [][2]string
	duration time.Duration
	prefix   string
}

const maxPorts = 64

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "jackprobe:", err)
		os.Exit(2)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	if err := run(o, stop); err != nil {
		fmt.Fprintln(os.Stderr, "jackprobe:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("jackprobe", flag.ContinueOnError)
	flags.StringVar(&o.name, "name", "jackprobe", "the client's `NAME`; a name in use is an error")
	flags.StringVar(&o.server, "server", "", "the JACK server's `NAME`; empty for the default one, and for PipeWire")
	flags.Func("tone", "an output playing a sine of `HZ,DBFS`; 0 dBFS has the peak 1.0 (repeatable)", func(s string) error {
		out, err := parseTone(s)
		o.outputs = append(o.outputs, out)
		return err
	})
	flags.Func("noise", "an output playing noise of this `SEED`, on the grid of 24 bits, peak 0.5 (repeatable)", func(s string) error {
		seed, err := strconv.ParseUint(s, 0, 64)
		o.outputs = append(o.outputs, output{noise: true, seed: seed})
		return err
	})
	flags.Func("noise-f32", "likewise, of 32-bit floats", func(s string) error {
		seed, err := strconv.ParseUint(s, 0, 64)
		o.outputs = append(o.outputs, output{noise: true, float: true, seed: seed})
		return err
	})
	flags.IntVar(&o.inputs, "inputs", 0, "how many inputs to record, 0 to 64")
	flags.Func("connect", "connect two ports, `SOURCE,DESTINATION`, again whenever they come back (repeatable)", func(s string) error {
		from, to, ok := strings.Cut(s, ",")
		if !ok || from == "" || to == "" {
			return errors.New("want SOURCE,DESTINATION")
		}
		o.connect = append(o.connect, [2]string{from, to})
		return nil
	})
	flags.DurationVar(&o.duration, "duration", 10*time.Second, "how long to record")
	flags.StringVar(&o.prefix, "output", "", "write `PREFIX`.wav and PREFIX.json; empty writes nothing")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("argument %q: only flags are legal", flags.Arg(0))
	case o.inputs < 0 || o.inputs > maxPorts:
		return o, fmt.Errorf("--inputs %d: legal are 0 to %d", o.inputs, maxPorts)
	case len(o.outputs) > maxPorts:
		return o, fmt.Errorf("%d outputs: legal are 0 to %d", len(o.outputs), maxPorts)
	case o.duration <= 0 || o.duration > time.Hour:
		return o, fmt.Errorf("--duration %v: legal is more than 0, up to 1h", o.duration)
	}
	return o, nil
}

func parseTone(s string) (output, error) {
	first, second, ok := strings.Cut(s, ",")
	hz, err1 := strconv.ParseFloat(first, 64)
	dbfs, err2 := strconv.ParseFloat(second, 64)
	if !ok || err1 != nil || err2 != nil || !(hz > 0 && hz < 96000) || !(dbfs <= 20) {
		return output{}, errors.New("want HZ,DBFS such as 441,-12")
	}
	return output{hz: hz, amplitude: math.Pow(10, dbfs/20)}, nil
}

func run(o options, stop <-chan os.Signal) error {
	p, err := openWithPatience(o, stop)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.activate(); err != nil {
		return err
	}
	p.follow(o, stop)
	r := p.finish(o.inputs)
	if o.prefix != "" {
		if err := r.Write(o.prefix); err != nil {
			return err
		}
	}
	if r.ServerLost {
		return errors.New("the JACK server went away")
	}
	return nil
}

// openWithPatience tries for ten seconds: jackd2 refuses a client that opens
// while another one leaves.
func openWithPatience(o options, stop <-chan os.Signal) (*client, error) {
	deadline := time.Now().Add(10 * time.Second)
	for {
		p, err := open(o)
		if err == nil || time.Now().After(deadline) {
			return p, err
		}
		select {
		case <-time.After(700 * time.Millisecond):
		case <-stop:
			return nil, err
		}
	}
}

// follow keeps the connections and returns when the recording is complete, the
// server is lost or a signal came.
func (c *client) follow(o options, stop <-chan os.Signal) {
	want := uint64(o.duration.Seconds() * float64(c.rateHz()))
	recording := false
	for {
		all := true
		for _, pair := range o.connect {
			all = c.connect(pair[0], pair[1]) && all
		}
		if all && !recording {
			c.record()
			recording = true
		}
		if c.recorded() >= want || c.serverLost() {
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-stop:
			return
		}
	}
}
