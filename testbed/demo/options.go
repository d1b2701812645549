package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"archibald-bridge/bridge/config"
)

// The rates that sound servers run at.
const leastRateHz, mostRateHz = 44100, 192000

// options is what a user may choose.
type options struct {
	periodFrames int    // of both servers, 16 to 1024
	rateHz       int    // of the guest's server
	hostRateHz   int    // of the host's; 0: as the guest's
	latency      string // as the bridge's own --latency
	output       string // directory of the recordings
}

// parse reads the command line. Its errors are one line.
func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&o.periodFrames, "period", 256, "frames per period of both servers, 16 to 1024")
	flags.IntVar(&o.rateHz, "rate", 48000, "sample rate of both servers, 44100 to 192000 Hz")
	flags.IntVar(&o.hostRateHz, "host-rate", 0, "sample rate of the host's server alone; 0: as --rate")
	flags.StringVar(&o.latency, "latency", "auto", "one-way latency of the bridge: auto, 20ms, 512frames")
	flags.StringVar(&o.output, "output", "demo-output", "directory for the recordings")
	flags.Usage = func() {} // errors are one line
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
	}
	if err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("argument %q: only flags are legal", flags.Arg(0))
	}
	if o.periodFrames < 16 || o.periodFrames > 1024 {
		return o, fmt.Errorf("--period %d: legal is 16 to 1024", o.periodFrames)
	}
	if o.rateHz < leastRateHz || o.rateHz > mostRateHz {
		return o, fmt.Errorf("--rate %d: legal is %d to %d Hz", o.rateHz, leastRateHz, mostRateHz)
	}
	if o.hostRateHz != 0 && (o.hostRateHz < leastRateHz || o.hostRateHz > mostRateHz) {
		return o, fmt.Errorf("--host-rate %d: legal is 0 or %d to %d Hz", o.hostRateHz, leastRateHz, mostRateHz)
	}
	if err := new(config.Latency).UnmarshalText([]byte(o.latency)); err != nil {
		return o, fmt.Errorf("--latency %q: legal is auto, a time up to 200ms (20ms), or 1 to 9600 frames (512frames)", o.latency)
	}
	return o, nil
}

// hostRate says the host's rate where it is another one.
func (o options) hostRate() string {
	if o.hostRateHz == 0 || o.hostRateHz == o.rateHz {
		return ""
	}
	return fmt.Sprintf(", the host's at %d Hz", o.hostRateHz)
}
