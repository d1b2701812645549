package skew

import (
	_ "embed"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed preload/check.c
var check []byte

func TestTheClockRunsFastAndSlow(t *testing.T) {
	for _, ppm := range []float64{200_000, -200_000, 0} {
		for _, way := range []string{"read", "raw"} {
			shown, real := run(t, ppm, way)
			if want := 1 + ppm*1e-6; math.Abs(shown/real-want) > 0.001 {
				t.Errorf("%s at %g ppm: the clock went %.3f s in %.3f s, want a factor of %g", way, ppm, shown, real, want)
			}
		}
	}
}

// Every wait until 0.3 s from now ends then, by the skewed clock: never sooner,
// and, since any machine may be late once, in one of some attempts not later.
func TestWaitsEndWhenTheSkewedClockGetsThere(t *testing.T) {
	for _, ppm := range []float64{200_000, -200_000} {
		for _, way := range []string{"nanosleep", "timerfd", "condition", "semaphore"} {
			best := math.Inf(1)
			for range 5 {
				shown, _ := run(t, ppm, way)
				if shown < 0.2999 {
					t.Errorf("%s at %g ppm ended after %.4f s", way, ppm, shown)
				}
				if best = min(best, shown); best < 0.32 {
					break
				}
			}
			if best >= 0.32 {
				t.Errorf("%s at %g ppm ended after %.4f s at best", way, ppm, best)
			}
		}
	}
}

// A relative wait and the wall clock are not touched: in one of some attempts, for any
// machine may be late once.
func TestRelativeWaitsAndTheWallClockStayTrue(t *testing.T) {
	for _, way := range []string{"wall", "relative"} {
		best := math.Inf(1)
		for range 5 {
			shown, real := run(t, 200_000, way)
			if best = min(best, math.Abs(shown/real-1)); best <= 0.05 {
				break
			}
		}
		if best > 0.05 {
			t.Errorf("%s: off by %.1f %% at best", way, 100*best)
		}
	}
}

func TestAtItsEpochTheClockShowsTheTrueTime(t *testing.T) {
	dir := t.TempDir()
	clock := New(library(t, dir), 500)
	out := output(t, program(t, dir), clock.Env(), "now")
	var shownNs, trueNs int64
	if _, err := fmt.Sscan(out, &shownNs, &trueNs); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	// 500 ppm of the time since New, which is far below 10 s.
	if ahead := shownNs - trueNs; ahead < 0 || ahead > 5_000_000 {
		t.Errorf("ahead by %d ns", ahead)
	}
}

func TestAZeroThatDisarmsATimerStaysZero(t *testing.T) {
	dir := t.TempDir()
	if out := output(t, program(t, dir), New(library(t, dir), 500).Env(), "disarm"); strings.TrimSpace(out) != "disarmed" {
		t.Error(out)
	}
}

func run(t *testing.T, ppm float64, way string) (shown, real float64) {
	t.Helper()
	dir := t.TempDir()
	out := output(t, program(t, dir), New(library(t, dir), ppm).Env(), way)
	if _, err := fmt.Sscan(out, &shown, &real); err != nil || real == 0 {
		t.Fatalf("%s: %q: %v", way, out, err)
	}
	return shown, real
}

func library(t *testing.T, dir string) string {
	t.Helper()
	path, err := Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func program(t *testing.T, dir string) string {
	t.Helper()
	source, binary := filepath.Join(dir, "check.c"), filepath.Join(dir, "check")
	if err := os.WriteFile(source, check, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-std=gnu11", "-Wall", "-Wextra", "-o", binary, source, "-lpthread").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

func output(t *testing.T, binary string, env []string, args ...string) string {
	t.Helper()
	command := exec.Command(binary, args...)
	command.Env = append(os.Environ(), env...)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", args, err, out)
	}
	return string(out)
}
