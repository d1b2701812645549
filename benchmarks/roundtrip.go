package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
)

// roundTrips measures guest -> host -> guest by jack_iodelay, with from-guest
// linked to to-guest on the host. The control has jack_iodelay connected to
// itself, for which JACK takes one period.
func roundTrips(length time.Duration) error {
	fmt.Println("period  latency    clock  one way, as the ends say           of it the wait for jitter    round trip in frames    control  dropouts  xruns")
	fmt.Println("frames                    guest->host  host->guest  resampled  guest->host  host->guest     min  median  max                         guest")
	for _, period := range []int{256, 128, 64, 32, 16} {
		for _, clock := range []string{"auto", "free"} { // the servers' clocks are one: auto copies
			// With 30 frames for the resampler and the jitter, or half a period.
			fixed := map[string]int{"auto": 3 * period / 2, "free": period + 30}[clock]
			for _, latency := range []string{"auto", fmt.Sprintf("%dframes", fixed)} {
				if err := roundTrip(period, latency, clock, length); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func roundTrip(period int, latency, clock string, length time.Duration) error {
	config := endtoend.Config{PeriodFrames: period, Common: []string{"--latency", latency, "--clock", clock}}
	return with(config, func(r *endtoend.Rig) error {
		control, err := ioDelay(r, "control", 3*time.Second, func() error {
			return r.JackConnect(r.JackServer, "jack_delay:out", "jack_delay:in")
		})
		if err != nil {
			return err
		}
		before, err := r.Status(proto.Guest)
		if err != nil {
			return err
		}
		frames, err := ioDelay(r, "bridge", length, func() error { return loop(r) })
		if err != nil {
			return err
		}
		guest, err := r.Status(proto.Guest)
		if err != nil {
			return err
		}
		host, err := r.Status(proto.Host)
		if err != nil {
			return err
		}
		there, back := host.Directions.Receive, guest.Directions.Receive
		fmt.Printf("%6d  %-9s  %-5s  %s     %s     %-9v  %s     %s    %6.1f %6.1f %6.1f    %6.1f  %8d  %5d\n", period, latency, clock,
			there.LatencyMs.Bridge, back.LatencyMs.Bridge, there.RatioPPM != 0 || back.RatioPPM != 0,
			there.LatencyStagesMs.Wait, back.LatencyStagesMs.Wait,
			frames[0], frames[len(frames)/2], frames[len(frames)-1], control[len(control)/2],
			there.Dropouts+back.Dropouts, guest.Audio.XrunsTotal-before.Audio.XrunsTotal)
		return nil
	})
}

// loop connects jack_iodelay through the bridge and back.
func loop(r *endtoend.Rig) error {
	if err := r.PipeWireConnect("archibald-from-guest:output_FL", "archibald-to-guest:playback_FL"); err != nil {
		return err
	}
	if err := r.JackConnect(r.JackServer, "jack_delay:out", "archibald-to-host:in_1"); err != nil {
		return err
	}
	return r.JackConnect(r.JackServer, "archibald-from-host:out_1", "jack_delay:in")
}

var measured = regexp.MustCompile(`([0-9.]+) frames +[0-9.]+ ms total roundtrip`)

// ioDelay runs jack_iodelay and returns its readings in frames, sorted, without
// the first second's.
func ioDelay(r *endtoend.Rig, name string, length time.Duration, connect func() error) ([]float64, error) {
	readings, err := watchIODelay(r, name, length, connect, func() error { return nil })
	var frames []float64
	for _, reading := range readings {
		frames = append(frames, reading.frames)
	}
	slices.Sort(frames)
	return frames, err
}

// reading is one of jack_iodelay's and when it was seen.
type reading struct {
	at     time.Time
	frames float64
}

// watchIODelay is ioDelay with times. It calls look four times a second.
func watchIODelay(r *endtoend.Rig, name string, length time.Duration, connect, look func() error) ([]reading, error) {
	p, err := r.Start("iodelay-"+name, []string{"JACK_DEFAULT_SERVER=" + r.JackServer}, "stdbuf", "-oL", "jack_iodelay")
	if err != nil {
		return nil, err
	}
	defer p.Stop()
	time.Sleep(time.Second)
	if err := connect(); err != nil {
		return nil, err
	}
	file, err := os.Open(p.Log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var readings []reading
	var text []byte // not yet understood
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(time.Second / 4) {
		if err := look(); err != nil {
			return nil, err
		}
		more, err := io.ReadAll(file)
		if err != nil {
			return nil, err
		}
		text = append(text, more...)
		for at := measured.FindSubmatchIndex(text); at != nil; at = measured.FindSubmatchIndex(text) {
			value, err := strconv.ParseFloat(string(text[at[2]:at[3]]), 64)
			if err != nil {
				return nil, err
			}
			readings, text = append(readings, reading{time.Now(), value}), text[at[1]:]
		}
	}
	if len(readings) < 4 {
		return nil, fmt.Errorf("jack_iodelay read nothing: %s", p.LogTail())
	}
	return readings[2:], nil // it reads twice a second
}
