package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"time"

	"archibald-bridge/testbed/endtoend"
)

// benchmarks in the order in which they run.
var benchmarks = []struct {
	name string
	run  func(seconds time.Duration) error
}{
	{"roundtrip", roundTrips},
	{"constancy", constancy},
	{"dropouts", dropouts},
	{"recovery", recovery},
	{"channels", channels},
	{"guests", guests},
	{"cost", cost},
	{"opus", opusProfile},
	{"interop", interoperation},
}

// The rates of the servers, as the flags say.
var (
	rateHz     = flag.Int("rate", 48000, "sample rate of both servers, 44100 to 192000 Hz")
	hostRateHz = flag.Int("host-rate", 0, "sample rate of the host's server alone; 0: as -rate")
)

func main() {
	seconds := flag.Int("seconds", 20, "length of each measurement, 5 to 600")
	flag.Parse()
	for name, hz := range map[string]int{"rate": *rateHz, "host-rate": cmp.Or(*hostRateHz, *rateHz)} {
		if hz < 44100 || hz > 192000 {
			fmt.Fprintf(os.Stderr, "benchmarks: -%s %d: legal are 44100 to 192000 Hz\n", name, hz)
			os.Exit(2)
		}
	}
	if *seconds < 5 || *seconds > 600 {
		fmt.Fprintf(os.Stderr, "benchmarks: -seconds %d: legal are 5 to 600\n", *seconds)
		os.Exit(2)
	}
	wanted := map[string]bool{}
	for _, name := range flag.Args() {
		wanted[name] = true
	}
	if err := machine(os.Stdout); err != nil {
		fail(err)
	}
	fmt.Printf("servers at %d Hz (guest) and %d Hz (host)\n", *rateHz, cmp.Or(*hostRateHz, *rateHz))
	for _, b := range benchmarks {
		if len(wanted) > 0 && !wanted[b.name] {
			continue
		}
		delete(wanted, b.name)
		fmt.Printf("\n== %s\n", b.name)
		if err := b.run(time.Duration(*seconds) * time.Second); err != nil {
			fail(fmt.Errorf("%s: %w", b.name, err))
		}
		if len(wanted) == 0 && flag.NArg() > 0 {
			return
		}
	}
	for name := range wanted {
		fmt.Fprintf(os.Stderr, "benchmarks: %q: legal are roundtrip, constancy, dropouts, recovery, channels, guests, cost, opus, interop\n", name)
		os.Exit(2)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "benchmarks:", err)
	os.Exit(1)
}

// with runs the whole bridge for one measurement.
func with(config endtoend.Config, measure func(*endtoend.Rig) error) (err error) {
	config.RateHz, config.HostRateHz = *rateHz, *hostRateHz
	r, err := endtoend.New(config)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := r.Close(); err == nil {
			err = closeErr
		}
	}()
	if err := r.Quiet(); err != nil {
		return err
	}
	if err := r.StartAll(); err != nil {
		return err
	}
	return measure(r)
}
