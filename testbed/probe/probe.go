// Package probe runs jackprobe (folder testbed/jackprobe) in a stack: as a
// client of jackd2, or of PipeWire through pw-jack.
package probe

import (
	"fmt"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/stack"
)

// Build compiles jackprobe into dir and returns its path. It needs Go, cgo and
// libjack-jackd2-dev, and a working directory inside this module.
func Build(dir string) (binary string, err error) {
	binary = filepath.Join(dir, "jackprobe")
	return binary, stack.Build(binary, "archibald-bridge/testbed/jackprobe")
}

// Signal is what one output plays.
type Signal string

// Tone is a sine; 0 dBFS has the peak 1.0.
func Tone(hz, dbfs float64) Signal { return Signal(fmt.Sprintf("--tone=%g,%g", hz, dbfs)) }

// Noise is signal.Noise on the grid of 24 bits.
func Noise(seed uint64) Signal { return Signal(fmt.Sprintf("--noise=%d", seed)) }

// NoiseF32 is signal.Noise of 32-bit floats.
func NoiseF32(seed uint64) Signal { return Signal(fmt.Sprintf("--noise-f32=%d", seed)) }

// Config says what a probe plays, hears and for how long.
type Config struct {
	Binary       string // from Build
	Name         string // of the client and the process; its ports are Name:out_1 ..., Name:in_1 ...
	JackServer   string // empty: PipeWire
	PeriodFrames int    // the quantum asked of PipeWire; jackd2 has its own
	RateHz       int    // likewise; 0: 48000
	Outputs      []Signal
	Inputs       int
	Connect      [][2]string   // output port, input port; recording starts when all stand
	Duration     time.Duration // of the recording
	Environment  []string      // "KEY=value", added to the stack's
}

// Probe is a running jackprobe.
type Probe struct {
	*stack.Process
	prefix   string
	duration time.Duration
}

// Start starts a probe in s and does not wait for its ports.
func Start(s *stack.Stack, config Config) (*Probe, error) {
	prefix := filepath.Join(s.Dir, config.Name)
	command := []string{config.Binary, "--name", config.Name, "--output", prefix,
		"--inputs", strconv.Itoa(config.Inputs), "--duration", config.Duration.String()}
	if config.JackServer != "" {
		command = append(command, "--server", config.JackServer)
	} else {
		rateHz := config.RateHz
		if rateHz == 0 {
			rateHz = 48000
		}
		command = append([]string{"pw-jack", "-s", strconv.Itoa(rateHz), "-p", strconv.Itoa(config.PeriodFrames)}, command...)
	}
	for _, output := range config.Outputs {
		command = append(command, string(output))
	}
	for _, pair := range config.Connect {
		command = append(command, "--connect", pair[0]+","+pair[1])
	}
	p, err := s.Start(config.Name, config.Environment, command[0], command[1:]...)
	if err != nil {
		return nil, err
	}
	return &Probe{p, prefix, config.Duration}, nil
}

// Finish waits for the probe's end, at most its duration and 30 seconds, and
// returns what it heard. Losing the server is not an error: the Recording says
// so.
func (p *Probe) Finish() (*recording.Recording, error) {
	code, err := p.Wait(p.duration + 30*time.Second)
	if err != nil {
		return nil, err
	}
	r, err := recording.Read(p.prefix)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; exit code %d: %s", p.Name, err, code, p.LogTail())
	}
	if code != 0 && !r.ServerLost {
		return nil, fmt.Errorf("%s: exit code %d: %s", p.Name, code, p.LogTail())
	}
	return r, nil
}

// FinishNow ends the probe early and returns what it heard.
func (p *Probe) FinishNow() (*recording.Recording, error) {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return nil, err
	}
	return p.Finish()
}
