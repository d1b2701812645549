// Package recording is what jackprobe leaves: the sound a JACK client saw and,
// for every cycle, when that was. Two files: NAME.json, and NAME.wav, 32-bit
// float, one channel per input; a client without inputs leaves no NAME.wav.
package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sort"

	"archibald-bridge/testbed/wav"
)

// Cycle is one call of the process callback.
type Cycle struct {
	FrameTime   uint32 `json:"frame_time"`   // jack_last_frame_time, in frames; wraps
	MonotonicNs int64  `json:"monotonic_ns"` // CLOCK_MONOTONIC when the callback began
	Frames      uint32 `json:"frames"`       // of this cycle
	LostFrames  uint32 `json:"lost_frames"`  // server time found lost at this cycle: its frame counter did not count it
}

// Recording is the sound and its cycles, in order, without a hole: frame 0 of
// the sound is the first frame of the first cycle.
type Recording struct {
	Sound      wav.Audio `json:"-"`
	RateHz     int       `json:"rate_hz"`
	Xruns      int       `json:"xruns"` // xrun callbacks during the recording
	ServerLost bool      `json:"server_lost"`
	Cycles     []Cycle   `json:"cycles"`

	starts []int // first frame of each cycle
}

// Loss is a moment at which the server lost time, or the client missed cycles.
type Loss struct {
	Frame       int // of the recording
	MonotonicNs int64
	LostFrames  int
}

// Write writes prefix.json and, when there is a channel, prefix.wav.
func (r *Recording) Write(prefix string) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(prefix+".json", text, 0o644); err != nil || len(r.Sound.Channels) == 0 {
		return err
	}
	return wav.WriteFile(prefix+".wav", r.Sound, wav.Float32)
}

// Read reads what Write wrote.
func Read(prefix string) (*Recording, error) {
	text, err := os.ReadFile(prefix + ".json")
	if err != nil {
		return nil, err
	}
	r := new(Recording)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s.json: %w", prefix, err)
	}
	r.Sound, err = wav.ReadFile(prefix + ".wav")
	if errors.Is(err, fs.ErrNotExist) { // it had no inputs
		err = nil
	}
	if err != nil {
		return nil, err
	}
	frames := 0
	for _, cycle := range r.Cycles {
		r.starts = append(r.starts, frames)
		frames += int(cycle.Frames)
	}
	if sound := r.Sound.Frames(); len(r.Sound.Channels) > 0 && sound != frames {
		return nil, fmt.Errorf("%s: %d frames of sound, %d in its cycles", prefix, sound, frames)
	}
	return r, nil
}

// TimeAt returns the CLOCK_MONOTONIC time, in nanoseconds, at which a frame was
// recorded: its cycle's callback entry and its place in the cycle. ok is false
// outside the recording.
func (r *Recording) TimeAt(frame int) (ns int64, ok bool) {
	k := sort.SearchInts(r.starts, frame+1) - 1
	if k < 0 || frame >= r.starts[k]+int(r.Cycles[k].Frames) {
		return 0, false
	}
	offset := int64(frame - r.starts[k])
	return r.Cycles[k].MonotonicNs + offset*1e9/int64(r.RateHz), true
}

// EndNs returns the CLOCK_MONOTONIC time, in nanoseconds, at which the last cycle began.
func (r *Recording) EndNs() int64 {
	if len(r.Cycles) == 0 {
		return 0
	}
	return r.Cycles[len(r.Cycles)-1].MonotonicNs
}

// CutAt leaves out the cycles that began at a CLOCK_MONOTONIC time, in nanoseconds, or
// later, and their sound.
func (r *Recording) CutAt(ns int64) {
	cycles := sort.Search(len(r.Cycles), func(k int) bool { return r.Cycles[k].MonotonicNs >= ns })
	if cycles == len(r.Cycles) {
		return
	}
	for c, samples := range r.Sound.Channels {
		r.Sound.Channels[c] = samples[:r.starts[cycles]]
	}
	r.Cycles, r.starts = r.Cycles[:cycles], r.starts[:cycles]
}

// Losses lists where the server lost time (LostFrames of a Cycle, or less than
// that can tell) and where its frame counter jumped, so that this client was not
// called.
func (r *Recording) Losses() []Loss {
	losses := r.smallLosses()
	for k := 1; k < len(r.Cycles); k++ {
		cycle, previous := r.Cycles[k], r.Cycles[k-1]
		missed := int32(cycle.FrameTime - previous.FrameTime - previous.Frames)
		if lost := int(missed) + int(cycle.LostFrames); lost != 0 {
			losses = append(losses, Loss{r.starts[k], cycle.MonotonicNs, lost})
		}
	}
	slices.SortFunc(losses, func(a, b Loss) int { return a.Frame - b.Frame })
	return losses
}
