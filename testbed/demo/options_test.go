package main

import (
	"errors"
	"flag"
	"strings"
	"testing"
)

func TestDefaultsAndFlags(t *testing.T) {
	o, err := parse(nil)
	if want := (options{256, 48000, 0, "auto", "demo-output"}); err != nil || o != want {
		t.Errorf("no flags: %+v, %v, want %+v", o, err, want)
	}
	o, err = parse([]string{"--period", "16", "--rate", "96000", "--host-rate", "44100", "--latency=512frames", "--output", "out"})
	if want := (options{16, 96000, 44100, "512frames", "out"}); err != nil || o != want {
		t.Errorf("%+v, %v, want %+v", o, err, want)
	}
}

func TestWrongFlagsAreOneLineThatSaysWhatIsLegal(t *testing.T) {
	for args, says := range map[string]string{
		"--period 7":      "16 to 1024",
		"--period 2048":   "16 to 1024",
		"--rate 8000":     "44100 to 192000",
		"--rate 384000":   "44100 to 192000",
		"--host-rate 1":   "0 or 44100 to 192000",
		"--period x":      `"x"`,
		"--periode 64":    "periode",
		"--latency 5":     "200ms",
		"--latency bogus": "512frames",
		"softly":          `"softly"`,
	} {
		_, err := parse(strings.Fields(args))
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want a line with %s", args, err, says)
		}
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	if _, err := parse([]string{"--help"}); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
}
