// Command demo shows the bridge at work on this machine alone: it starts the
// guest's and the host's sound servers without a screen or a sound card, both
// ends of the bridge between them, lets SuperCollider play a melody to the host
// and back, and measures what arrived.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
	"archibald-bridge/testbed/wav"
)

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(2)
	}
	right, err := run(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	if !right {
		os.Exit(1)
	}
}

func run(o options) (right bool, err error) {
	if err := os.MkdirAll(o.output, 0o755); err != nil {
		return false, err
	}
	fmt.Println("building the bridge")
	r, err := endtoend.New(endtoend.Config{Shared: true, PeriodFrames: o.periodFrames, RateHz: o.rateHz, HostRateHz: o.hostRateHz, Common: []string{"--latency", o.latency}})
	if err != nil {
		return false, err
	}
	defer func() {
		if closeErr := r.Close(); err == nil {
			err = closeErr
		}
	}()
	closeOnInterrupt(r)
	prepare(r)
	fmt.Printf("starting jackd and scsynth (the guest), PipeWire and WirePlumber (the host), period %d at %d Hz%s\n", o.periodFrames, o.rateHz, o.hostRate())
	fmt.Printf("starting both ends: archibald-bridge guest at %s, archibald-bridge host at %s\n",
		endtoend.Address(proto.Guest), endtoend.Address(proto.Host))
	if err := r.StartAll(); err != nil {
		return false, err
	}
	fmt.Println("SuperCollider plays; the host sends what reaches its sink back to the guest")
	phrase, err := r.PlayPhrase(func() { show(r) })
	if err != nil {
		return false, err
	}
	report(phrase)
	if err := save(phrase, o.output); err != nil {
		return false, err
	}
	if phrase.Right() {
		fmt.Println("PASS: every note arrived on the host and back in the guest, in tune and at its level")
		return true, nil
	}
	fmt.Println("FAIL: a note did not arrive as it was played")
	return false, nil
}

// show prints the state of both ends in a line.
func show(r *endtoend.Rig) {
	guest, err1 := r.Status(proto.Guest)
	host, err2 := r.Status(proto.Host)
	if err1 != nil || err2 != nil {
		fmt.Println("  an end does not answer:", err1, err2)
		return
	}
	fmt.Printf("  guest -> host %s   host -> guest %s\n", line(host.Directions.Receive), line(guest.Directions.Receive))
}

func line(d status.Direction) string {
	left, right := status.Decibels(0), status.Decibels(0)
	if len(d.PeakDBFS) == 2 {
		left, right = d.PeakDBFS[0], d.PeakDBFS[1]
	}
	return fmt.Sprintf("%s/%d %s, peak %s %s dBFS, dropouts %d", d.Format, d.Channels, d.LatencyMs.Bridge, left, right, d.Dropouts)
}

func report(p *endtoend.Phrase) {
	fmt.Printf("\n  played %.1f dBFS    on the host               back in the guest\n", p.PlayedDBFS)
	for _, n := range p.Notes {
		fmt.Printf("  %7.2f Hz        %-28s%s\n", n.PlayedHz, n.OnHost, n.BackInGuest)
	}
	fmt.Printf("  right channel: drone %s\n\n", p.Drone)
}

func save(p *endtoend.Phrase, dir string) error {
	for name, sound := range map[string]wav.Audio{"on-the-host.wav": p.Host, "back-in-the-guest.wav": p.Guest} {
		path := filepath.Join(dir, name)
		if err := wav.WriteFile(path, sound, wav.Int24); err != nil {
			return err
		}
		fmt.Println("recorded", path)
	}
	return nil
}
