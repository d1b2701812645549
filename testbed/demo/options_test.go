package main

import (
	"errors"
	"flag"
	"strings"
	"testing"
)

func TestDefaultsAndFlags(t *testing.T) {
	o, err := parse(nil)
	if want := (options{256, "auto", "demo-output"}); err != nil || o != want {
		t.Errorf("no flags: %+v, %v, want %+v", o, err, want)
	}
	o, err = parse([]string{"--period", "64", "--latency=512frames", "--output", "out"})
	if want := (options{64, "512frames", "out"}); err != nil || o != want {
		t.Errorf("%+v, %v, want %+v", o, err, want)
	}
}

func TestWrongFlagsAreOneLineThatSaysWhatIsLegal(t *testing.T) {
	for args, says := range map[string]string{
		"--period 7":      "32 to 1024",
		"--period 2048":   "32 to 1024",
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
