package main

import (
	"os"
	"regexp"
	"strconv"

	"archibald-bridge/testbed/stack"
)

// ioDelay is jack_iodelay's name as a JACK client.
const ioDelay = "jack_delay"

// startIODelay starts jack_iodelay, which measures the way from its output to its
// input twice a second by the phases of thirteen tones.
func startIODelay(m machine, periodFrames int) (*stack.Process, error) {
	command := []string{"stdbuf", "-oL", "jack_iodelay"}
	if m.jack() == "" {
		command = append([]string{"pw-jack", "-p", strconv.Itoa(periodFrames)}, command...)
	}
	return m.StartPatiently("iodelay", []string{"JACK_DEFAULT_SERVER=" + m.jack()}, command[0], command[1:]...)
}

// reading is one of jack_iodelay's. Two question marks at its end say that the
// phases contradict each other.
var reading = regexp.MustCompile(`([0-9.]+) frames +[0-9.]+ ms total roundtrip[^\n]*\n[^\n]*\n[^\n]*?(\?\?)?( Inv)?\n`)

// readings returns what jack_iodelay has said in its log from a place on, in
// frames, and without those that it doubts.
func readings(log string, from int64) ([]float64, error) {
	text, err := os.ReadFile(log)
	if err != nil {
		return nil, err
	}
	var frames []float64
	for _, match := range reading.FindAllSubmatch(text[min(from, int64(len(text))):], -1) {
		if len(match[2]) > 0 {
			continue
		}
		value, err := strconv.ParseFloat(string(match[1]), 64)
		if err != nil {
			return nil, err
		}
		frames = append(frames, value)
	}
	return frames, nil
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
