package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"archibald-bridge/bridge/config"
)

// options is what a user may choose.
type options struct {
	periodFrames int    // of both servers, 32 to 1024
	latency      string // as the bridge's own --latency
	output       string // directory of the recordings
}

// parse reads the command line. Its errors are one line.
func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&o.periodFrames, "period", 256, "frames per period of both servers, 32 to 1024")
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
	if o.periodFrames < 32 || o.periodFrames > 1024 {
		return o, fmt.Errorf("--period %d: legal is 32 to 1024", o.periodFrames)
	}
	if err := new(config.Latency).UnmarshalText([]byte(o.latency)); err != nil {
		return o, fmt.Errorf("--latency %q: legal is auto, a time up to 200ms (20ms), or 1 to 9600 frames (512frames)", o.latency)
	}
	return o, nil
}
