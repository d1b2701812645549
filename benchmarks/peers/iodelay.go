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
func startIODelay(m machine, at place) (*stack.Process, error) {
	command := []string{"stdbuf", "-oL", "jack_iodelay"}
	if m.jack() == "" {
		command = append([]string{"pw-jack", "-s", strconv.Itoa(at.rateHz), "-p", strconv.Itoa(at.periodFrames)}, command...)
	}
	return m.StartPatiently("iodelay", []string{"JACK_DEFAULT_SERVER=" + m.jack()}, command[0], command[1:]...)
}

// reading is one of jack_iodelay's. Two question marks at its end say that the
// phases contradict each other.
var reading = regexp.MustCompile(`([0-9.]+) frames +[0-9.]+ ms total roundtrip[^\n]*\n[^\n]*\n[^\n]*?(\?\?)?( Inv)?\n`)

// readings returns what jack_iodelay has said in its log from a place on, in
// frames, and without those that it doubts.
func readings(log string, from int64) ([]float64, error) {
	frames, _, err := readingsUpTo(log, from)
	return frames, err
}

// readingsUpTo is readings, and says where the last whole one ended, doubted or not.
func readingsUpTo(log string, from int64) (frames []float64, upTo int64, err error) {
	text, err := os.ReadFile(log)
	if err != nil {
		return nil, from, err
	}
	from = min(from, int64(len(text)))
	text, upTo = text[from:], from
	for _, at := range reading.FindAllSubmatchIndex(text, -1) {
		upTo = from + int64(at[1])
		if at[4] >= 0 {
			continue
		}
		value, err := strconv.ParseFloat(string(text[at[2]:at[3]]), 64)
		if err != nil {
			return nil, upTo, err
		}
		frames = append(frames, value)
	}
	return frames, upTo, nil
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
