package interop

import (
	"fmt"
	"math"
	"strings"

	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
)

// Result is a case, judged.
type Result struct {
	Case
	Compared  int          // frames of noise, of all channels
	Different int          // of them
	Jumps     int          // from one place of the noise to another
	OutOfStep int          // channels that are not at the same frame as the others
	Gaps      []signal.Gap // in the tones
	WrongTone []string
	Misplaced []string // channels of noise that are not what they must be, while others are
	LatencyMs float64  // of our end, as it says itself; 0: it does not
	PitchPPM  float64  // by how much the tones' pitch is off
	PPM       float64  // by how much our end resampled; 0: not
	Wire      Wire
	// Replayed are frames of noise that our core played of the capture on virtual time,
	// where our end had resampled.
	Replayed, ReplayedDifferent int
	Broken                      string // why the case could not be run
	Losses                      int    // times that a server lost time meanwhile
	Stalls                      int    // times that a processor stood still for half a period or longer
}

// Verdict is what the table says of the sound.
func (r Result) Verdict() string {
	verdict := r.verdict()
	if r.Losses > 0 && len(r.Gaps)+r.Jumps > 0 {
		verdict += fmt.Sprintf(", but where a server lost time (%d times)", r.Losses)
	}
	return verdict
}

func (r Result) verdict() string {
	switch {
	case r.Broken != "":
		return "**could not be run**"
	case len(r.WrongTone)+len(r.Misplaced) > 0:
		return "**wrong sound**"
	case r.resamples() && len(r.broken()) == 0:
		return fmt.Sprintf("whole, resampled by the peer (pitch within %.0f ppm, %d single frames skipped or repeated)", math.Ceil(r.PitchPPM), len(r.Gaps))
	case len(r.broken()) > 0:
		return fmt.Sprintf("**%d gaps**", len(r.Gaps))
	case r.Exact():
		return "bit-exact"
	case r.Compared == 0 && r.Replayed > 0 && r.ReplayedDifferent == 0:
		return "whole, resampled; its packets are read bit-exact"
	case r.Compared == 0:
		return "whole, resampled"
	}
	return fmt.Sprintf("**%d of %d frames differ**", r.Different, r.Compared)
}

// Fault says what is not as it must be; "" when nothing is.
func (r Result) Fault() string {
	switch {
	case r.Broken != "":
		return r.Broken
	case len(r.WrongTone)+len(r.Misplaced) > 0:
		return strings.Join(append(r.WrongTone, r.Misplaced...), "; ")
	case len(r.broken()) > 0:
		return fmt.Sprintf("gaps in the tone: %v", r.broken())
	case !r.Exact() && (r.Compared > 0 || r.ownClock() && r.Replayed == 0):
		return fmt.Sprintf("of %d frames %d differ; %d jumps, %d channels out of step", r.Compared, r.Different, r.Jumps, r.OutOfStep)
	case r.Direction == Receive && r.Compared == 0 && r.Replayed == 0:
		return "no frame is as it was played, not on virtual time either"
	case r.ReplayedDifferent > 0:
		return fmt.Sprintf("of %d frames replayed %d differ", r.Replayed, r.ReplayedDifferent)
	case r.Wire.Strays > 0:
		return fmt.Sprintf("%d packets beside the stream and its RTCP", r.Wire.Strays)
	case r.Restart == Nobody && (r.Wire.Streams == 0 || r.Wire.Lost != 0 || r.Direction == Send && r.Wire.Streams > 1):
		return fmt.Sprintf("tshark sees %d streams, %d packets lost", r.Wire.Streams, r.Wire.Lost)
	}
	return ""
}

// Disturbed says that the machine may have made the fault: a server lost time, or a
// processor stood still and a sending end missed cycles, which the server does not say.
// Then every frame that came is right, and the sound jumps. A wrong pitch is no such fault.
func (r Result) Disturbed() bool {
	missed := r.Direction == Send && r.Compared > 0 && r.Different == 0 && r.Jumps > 0 && r.OutOfStep == 0 && len(r.WrongTone) == 0
	return r.Losses > 0 || r.Stalls > 0 && missed
}

// broken are the gaps that count: where a server lost time there are up to two in each
// tone. PipeWire's receiver now and then skips one frame and repeats one later, on a
// stream that tshark finds whole, and from PipeWire's own sender as well.
func (r Result) broken() (gaps []signal.Gap) {
	tones := 1
	if r.resamples() {
		tones = r.Channels
	}
	if len(r.Gaps) <= 2*r.Losses*tones {
		return nil
	}
	for _, gap := range r.Gaps {
		single := gap.Kind != signal.Silence && math.Abs(gap.SizeFrames) < 1.5
		if !r.resamples() || !single {
			gaps = append(gaps, gap)
		}
	}
	return gaps
}

// ownClock says that nothing between sender and receiver follows another clock, so
// that every bit must arrive: where a foreign program records what comes, and where
// GStreamer sends, packet by packet, on the clock that jackd has, too. ffmpeg sends in bursts, and
// PipeWire in packets that are no part of its quantum; whether our end sees their clock exactly is up to the machine.
func (c Case) ownClock() bool {
	return c.Peer == GStreamer || c.Direction == Send && c.Peer == FFmpeg
}

// Exact says that every frame of noise that was compared is as it was played. Where a
// server lost time, each channel jumps once.
func (r Result) Exact() bool {
	return r.Compared > 0 && len(r.Misplaced) == 0 && r.Different == 0 && r.Jumps <= r.Losses*(r.Channels-1) && r.OutOfStep == 0
}

// least is the shortest copy that shows that the receiver no longer resamples.
func least(c Case) int { return c.RateHz / 2 }

func (r *Rig) judge(c *run, runs []*run, ours, theirs *recording.Recording, captured *capture) (Result, error) {
	result := Result{Case: c.Case, Losses: len(ours.Losses()) + ours.Xruns, PPM: c.status.RatioPPM}
	if theirs != nil && c.peer == nil {
		result.Losses += len(theirs.Losses()) + theirs.Xruns
	}
	if latency := float64(c.status.LatencyMs.Bridge); c.Direction == Receive && !math.IsNaN(latency) {
		result.LatencyMs = latency
	}
	heard, err := r.sound(c, runs, ours, theirs)
	if err != nil {
		return result, err
	}
	result.judgeChannels(heard, c.seed)
	result.Wire = captured.wires[c.port]
	if c.Direction == Receive && !result.Exact() {
		err = result.replay(c, captured)
	}
	return result, err
}

func (r *Result) judgeChannels(heard [][]float32, seed uint64) {
	for channel, samples := range heard {
		if isTone(r.Case, channel) {
			r.judgeTone(samples, channel)
		}
	}
	steps := r.judgeNoises(heard, seed)
	for _, step := range steps {
		if step != steps[0] {
			r.OutOfStep++
		}
	}
}

// judgeNoises compares all channels of noise. Where one was copied all were, so that
// one in which nothing is found is in the wrong place.
func (r *Result) judgeNoises(heard [][]float32, seed uint64) (steps []int) {
	var strange []int
	for channel, samples := range heard {
		if isTone(r.Case, channel) {
			continue
		}
		if step, ok := r.judgeNoise(samples, seed, channel); ok {
			steps = append(steps, step)
		} else {
			strange = append(strange, channel)
		}
	}
	for _, channel := range strange {
		if len(steps) > 0 {
			r.Misplaced = append(r.Misplaced, r.misplaced(heard[channel], seed, channel))
		}
	}
	return steps
}

// judgeNoise compares from the first long copy on to the end of the last one: before
// it the receiver still looks for the clock, and behind it the sender has stopped. Where
// somebody was restarted only the last one counts, and it must last to the end. It
// returns how far the recording is behind the noise.
func (r *Result) judgeNoise(samples []float32, seed uint64, channel int) (step int, ok bool) {
	samples = untilSilence(samples)
	played := reference(r.Case, seed, r.source(channel), framesPlayed(r.Case))
	runs := signal.BitExact(played, samples)
	first, last := -1, -1
	for i, run := range runs {
		if run.Equal && run.Length >= least(r.Case) {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return 0, false
	}
	if r.Restart != Nobody {
		first = last
		if end := runs[last].Start + runs[last].Length; end < len(samples)-r.RateHz {
			return 0, false
		}
	}
	for i := first; i <= last; i++ {
		run := runs[i]
		r.Compared += run.Length
		if !run.Equal {
			r.Different += run.Length
		} else if i > first && run.Reference-run.Start != step {
			r.Jumps++
		}
		if run.Equal {
			step = run.Reference - run.Start
		}
	}
	return runs[first].Reference - runs[first].Start, true
}

// judgeTone judges the three seconds before the last one with sound.
func (r *Result) judgeTone(samples []float32, channel int) {
	samples = untilSilence(samples)
	if len(samples) < 5*r.RateHz {
		r.WrongTone = append(r.WrongTone, fmt.Sprintf("channel %d: only %d frames", channel+1, len(samples)))
		return
	}
	samples = samples[len(samples)-4*r.RateHz : len(samples)-r.RateHz]
	hz := toneHz(channel)
	r.Gaps = append(r.Gaps, signal.Gaps(samples, r.RateHz, hz)...)
	tone, err := signal.Tone(samples, r.RateHz, hz)
	off, most, level := math.Abs(tone.FrequencyHz/hz-1), 0.5/hz, 0.1
	if r.resamples() {
		most, level = 0.01, 1 // its pitch wanders while its buffer does
	}
	r.PitchPPM = max(r.PitchPPM, 1e6*off)
	if err != nil || off > most || math.Abs(tone.LevelDBFS-toneDBFS) > level {
		r.WrongTone = append(r.WrongTone, fmt.Sprintf("channel %d: %.2f Hz at %.2f dBFS, played %.0f Hz at %.0f dBFS, %v",
			channel+1, tone.FrequencyHz, tone.LevelDBFS, hz, toneDBFS, err))
	}
}

// untilSilence is a recording without the silence at its end.
func untilSilence(samples []float32) []float32 {
	for len(samples) > 0 && samples[len(samples)-1] == 0 {
		samples = samples[:len(samples)-1]
	}
	return samples
}
