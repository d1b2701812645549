package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"archibald-bridge/benchmarks/fingerprint"
	"archibald-bridge/benchmarks/results"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/skew"
	"archibald-bridge/testbed/stack"
)

// packages are those whose versions belong to a result.
var packages = []string{"jackd2", "jacktrip", "pipewire", "zita-njbridge"}

type options struct {
	systems  []*system
	places   []place
	skewsPPM []float64
	length   time.Duration
	repeats  int
	settings int // of each system at most; 0: all
	out      string
}

func main() {
	do, err := command(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(2)
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// command is what the arguments ask for.
func command(args []string) (do func() error, err error) {
	if len(args) > 0 && args[0] == "hours" {
		o, err := parseHours(args[1:])
		return func() error { return hours(o) }, err
	}
	o, err := parse(args)
	return func() error { return run(o) }, err
}

func parse(args []string) (options, error) {
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	names := flags.String("systems", "", "`NAMES` of the systems, with commas; locked: ours where one end leads, and all that it is held against; locked-1.4: the same with PipeWire 1.4 on the host; empty: all")
	periods := flags.String("periods", "64,32,32@96000", "`FRAMES` of both servers, with commas; @96000: at that sample rate")
	skews := flags.String("skews", "0,100,-100,500,-500", "how many `PPM` the host's clock is fast, dealt out over the repeats")
	seconds := flags.Int("seconds", 60, "length of each measurement, 5 to 600")
	repeats := flags.Int("repeats", 3, "how often everything is measured, 1 to 100")
	settings := flags.Int("settings", 0, "how many settings of each system at most, the first ones; 0: all")
	out := flags.String("out", filepath.Join("benchmarks", "results", time.Now().Format(time.DateOnly)+"-peers.json"), "the `FILE` of the results")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	o := options{length: time.Duration(*seconds) * time.Second, repeats: *repeats, settings: *settings, out: *out}
	var err error
	if o.systems, err = find(*names); err != nil {
		return o, err
	}
	if o.places, err = parsePlaces(*periods); err != nil {
		return o, err
	}
	for text := range strings.SplitSeq(*skews, ",") {
		ppm, err := strconv.ParseFloat(text, 64)
		if err != nil || !(ppm >= -1000 && ppm <= 1000) {
			return o, fmt.Errorf("-skews %q: legal are -1000 to 1000", text)
		}
		o.skewsPPM = append(o.skewsPPM, ppm)
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("argument %q: only flags are legal", flags.Arg(0))
	case *seconds < 5 || *seconds > 600:
		return o, fmt.Errorf("-seconds %d: legal are 5 to 600", *seconds)
	case *settings < 0:
		return o, fmt.Errorf("-settings %d: legal are 0 and more", *settings)
	case *repeats < 1 || *repeats > 100:
		return o, fmt.Errorf("-repeats %d: legal are 1 to 100", *repeats)
	}
	return o, nil
}

// alone holds a lock that only one measurement on this machine can have, until the
// program ends.
func alone() error {
	path := filepath.Join(os.TempDir(), "archibald-peers.lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("%s is locked: another comparison runs on this machine, and each would disturb the other", path)
	}
	lock = file // not to be closed by the garbage collector
	return nil
}

var lock *os.File

func run(o options) (err error) {
	if err := alone(); err != nil {
		return err
	}
	state, err := commit()
	if err != nil {
		return err
	}
	programs, err := fetch(needed(o.systems))
	if err != nil {
		return err
	}
	results, err := openStore(o.out, state, func() (results.Machine, error) { return describe(needed(o.systems)) })
	if err != nil {
		return err
	}
	if was, is := results.file.Machine.Processor, fingerprint.Processor(); was != is {
		return fmt.Errorf("%s: was measured on %s, this is %s: name another file by -out", o.out, was, is)
	}
	fmt.Print(fingerprint.Text(results.file.Machine))
	all := plan(limited(o.systems, o.settings), o.places, o.repeats, o.skewsPPM)
	left := results.remaining(all, o.length.Seconds())
	fmt.Printf("%d runs, %d of them to be made, which takes about %v\n", len(all), len(left), estimate(left, o.length))

	s, err := stack.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := programs.build(s.Dir); err != nil {
		return err
	}
	if err := s.Quiet(); err != nil {
		return err
	}
	// An interrupt waits for the end of the run that is being made: what it has
	// started is stopped, and the next invocation takes up after it.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	for i, t := range left {
		select {
		case <-stop:
			return fmt.Errorf("interrupted; the same command goes on with %s", o.out)
		default:
		}
		fmt.Printf("%d/%d %v\n", i+1, len(left), t)
		r := t.try(programs, o.length)
		fmt.Printf("   %s\n", summary(r))
		if err := results.add(r); err != nil {
			return err
		}
	}
	return nil
}

// describe is the machine with the versions of all peers.
func describe(unpacked []*unpacked) (results.Machine, error) {
	machine, err := fingerprint.Machine(packages...)
	if err != nil {
		return machine, err
	}
	for _, u := range unpacked {
		if machine.Packages[u.String()], err = u.version(); err != nil {
			return machine, err
		}
	}
	return machine, nil
}

// fetch unpacks the programs of other suites.
func fetch(all []*unpacked) (programs tools, err error) {
	programs.unpacked = map[*unpacked]string{}
	for _, u := range all {
		fmt.Printf("fetching %v, unless it is here\n", u)
		if programs.unpacked[u], err = u.fetch(); err != nil {
			return programs, err
		}
	}
	return programs, nil
}

// build makes all programs of this project in dir.
func (t *tools) build(dir string) (err error) {
	t.bridge = filepath.Join(dir, "archibald-bridge")
	if err := stack.Build(t.bridge, "archibald-bridge"); err != nil {
		return err
	}
	if t.probe, err = probe.Build(dir); err != nil {
		return err
	}
	t.skew, err = skew.Build(dir)
	return err
}

// summary is a run in one line.
func summary(r results.Run) string {
	if r.Error != "" {
		return "failed: " + r.Error
	}
	if r.Kind == results.Calls {
		return fmt.Sprintf("%.1f system calls a period", r.SystemCallsPerPeriod)
	}
	trip := "no round trip"
	if n := len(r.RoundTripFrames); n > 0 {
		sorted := slices.Sorted(slices.Values(r.RoundTripFrames))
		trip = fmt.Sprintf("round trip %.1f %.1f %.1f frames (%d readings)", sorted[0], sorted[n/2], sorted[n-1], n)
	}
	text := fmt.Sprintf("%s, bench %.1f, in the host's graph %.1f, sound %.2f %%, gaps %d (caused %d), witnesses %d and %d, skew %+.1f ppm, CPU %.1f %%, %.0f packets/s, %.1f wake-ups a period",
		trip, r.BenchFrames, results.Median(r.HostRoundTripFrames), 100*r.SoundShare, r.Gaps, r.CausedGaps, r.WitnessGapsGuest, r.WitnessGapsHost, r.SkewMeasuredPPM, r.CPUPercent, r.PacketsPerSecond, r.WakeUpsPerPeriod)
	if s := r.Stalls; s != nil {
		text += fmt.Sprintf(", %d stalls (%d gaps, %.1f %% of the time)", s.Count, s.Gaps, 100*s.TimeShare)
	}
	if r.InTimeShare != nil {
		text += fmt.Sprintf(", in time %.3f %%", 100**r.InTimeShare)
	}
	return text
}
