package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"archibald-bridge/benchmarks/quality"
	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/codec/libopus"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
	"archibald-bridge/testbed/sim"
)

// The packet times of Opus, as --ptime takes them.
var packetTimes = []time.Duration{2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond}

func framesOf(d time.Duration) int { return int(d * codec.RateHz / time.Second) }

// opusProfile measures what the Opus profile costs: latency on real servers, quality of
// the codec alone, and both over a way that loses packets, on virtual time.
func opusProfile(length time.Duration) error {
	if err := opusQuality(); err != nil {
		return err
	}
	if err := opusLosses(); err != nil {
		return err
	}
	return opusLatency(length)
}

// phrase is a simple piece of music: plucked notes, a drum of noise each half second, a bass.
func phrase(seconds int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 5))
	sound := make([]float32, seconds*codec.RateHz)
	scale := []float64{220, 261.6, 293.7, 329.6, 392, 440, 523.3, 587.3}
	for at := 0; at < len(sound); at += codec.RateHz / 4 {
		hz := scale[r.IntN(len(scale))] * float64(int(1)<<r.IntN(3))
		for i := at; i < min(len(sound), at+codec.RateHz); i++ {
			t := float64(i-at) / codec.RateHz
			for h := 1.0; h <= 12 && h*hz < 20000; h++ {
				sound[i] += float32(0.12 / h * math.Exp(-t*(3+h)) * math.Min(1, t*1000) * math.Sin(2*math.Pi*hz*h*t))
			}
		}
		for i := at; at%(codec.RateHz/2) == 0 && i < min(len(sound), at+codec.RateHz/10); i++ {
			sound[i] += float32(0.1 * math.Exp(-float64(i-at)/1500) * r.NormFloat64())
		}
	}
	for i := range sound {
		sound[i] += float32(0.1 * math.Sin(2*math.Pi*55*float64(i)/codec.RateHz))
	}
	return sound
}

func opusQuality() error {
	const seconds = 10
	fmt.Println("stereo, the codec alone; SNR and mean SNR in critical bands; noise to mask (below 0 dB: mostly hidden), and the share of bands in which it is above")
	fmt.Println("packet  bit/s     SNR dB  bands dB  noise to mask dB  audible    encode us  decode us  bytes")
	left, right := phrase(seconds, 1), phrase(seconds, 2)
	for _, packetTime := range packetTimes {
		for _, bitrate := range []int{48000, 64000, 96000, 128000, 192000, 256000, 510000} {
			line, err := codecAlone(left, right, framesOf(packetTime), bitrate)
			if err != nil {
				return err
			}
			fmt.Printf("%6s  %6d  %s\n", packetTime, bitrate, line)
		}
	}
	return nil
}

func codecAlone(left, right []float32, frames, bitrate int) (string, error) {
	encoder, err := libopus.Codec{}.NewEncoder(2, bitrate)
	if err != nil {
		return "", err
	}
	decoder, err := libopus.Codec{}.NewDecoder(2)
	if err != nil {
		return "", err
	}
	packet, samples, in := make([]byte, codec.MaxPayloadBytes), make([]float32, 2*frames), make([]float32, 2*frames)
	var heard [2][]float32
	var encoding, decoding time.Duration
	packets, bytes := 0, 0
	for at := 0; at+frames <= len(left); at += frames {
		for i := range frames {
			in[2*i], in[2*i+1] = left[at+i], right[at+i]
		}
		began := time.Now()
		n, err := encoder.Encode(in, packet)
		encoded := time.Now()
		if err == nil {
			_, err = decoder.Decode(packet[:n], samples)
		}
		if err != nil {
			return "", err
		}
		encoding, decoding = encoding+encoded.Sub(began), decoding+time.Since(encoded)
		packets, bytes = packets+1, bytes+n
		for i := range frames {
			heard[0], heard[1] = append(heard[0], samples[2*i]), append(heard[1], samples[2*i+1])
		}
	}
	var sum quality.Score
	for c, reference := range [][]float32{left, right} {
		s, err := quality.Compare(reference[:len(heard[c])-codec.LookaheadFrames], heard[c][codec.LookaheadFrames:], codec.RateHz)
		if err != nil {
			return "", err
		}
		sum.SNRdB, sum.BandSNRdB, sum.NMRdB, sum.Audible = sum.SNRdB+s.SNRdB/2, sum.BandSNRdB+s.BandSNRdB/2, sum.NMRdB+s.NMRdB/2, sum.Audible+s.Audible/2
	}
	each := func(d time.Duration) float64 { return d.Seconds() * 1e6 / float64(packets) }
	return fmt.Sprintf("%6.1f  %8.1f  %16.1f  %6.1f %%  %10.0f  %9.0f  %5d",
		sum.SNRdB, sum.BandSNRdB, sum.NMRdB, 100*sum.Audible, each(encoding), each(decoding), bytes/packets), nil
}

func opusLosses() error {
	const seconds = 24
	fmt.Println("\nmono, 96000 bit/s, period 64, 40 ms and 0.3 ms of jitter, on virtual time; delay: of playout behind the sender's clock line, without way, packet and codec;\nquality: with 10 ms for late packets and nothing resampled")
	fmt.Println("packet  loss  copies  apart  lost     made up  delay ms  SNR dB  noise to mask dB  audible")
	sound := phrase(seconds, 3)
	for _, packetTime := range []time.Duration{5 * time.Millisecond, 20 * time.Millisecond} {
		for _, loss := range []float64{0, 0.02, 0.10} {
			for _, c := range []struct{ copies, distance int }{{0, 0}, {1, 0}, {2, 0}, {1, 1}, {2, 1}} {
				if loss == 0 && c.copies > 0 {
					continue
				}
				run := func(locked bool) (sim.Heard, error) {
					r := rand.New(rand.NewPCG(9, uint64(1000*loss)))
					l := &sim.OpusLink{
						PeriodFrames: 64, PacketFrames: framesOf(packetTime), Bitrate: 96000, Copies: c.copies, Distance: c.distance, Codec: libopus.Codec{},
						Source:    func(frame int64) float32 { return sound[min(frame, int64(len(sound)-1))] },
						NetworkNs: func() float64 { return 40e6 + 0.3e6*r.ExpFloat64() }, Lose: func() bool { return r.Float64() < loss },
						Locked: locked,
					}
					if locked {
						l.JitterFrames = codec.RateHz / 100
					}
					return l.Run(seconds)
				}
				heard, err := run(false)
				if err != nil {
					return err
				}
				same, err := run(true)
				if err != nil {
					return err
				}
				s, err := aligned(sound, same.Sound)
				if err != nil {
					return err
				}
				count := heard.Counters
				fmt.Printf("%6s  %3.0f %%  %6d  %5d  %6.2f %%  %6.2f %%  %8.1f  %6.1f  %16.1f  %6.1f %%\n", packetTime, 100*loss, c.copies, c.distance,
					100*float64(count.Lost)/float64(count.Lost+count.Packets), 100*float64(count.ConcealedFrames)/float64(len(heard.Sound)),
					heard.Servo.DelayFrames*1000/codec.RateHz, s.SNRdB, s.NMRdB, 100*s.Audible)
			}
		}
	}
	return nil
}

// aligned scores the last 12 seconds.
func aligned(sound, heard []float32) (quality.Score, error) {
	const part, most = 12 * codec.RateHz, codec.RateHz / 2
	from := len(heard) - part
	best, shift := math.Inf(-1), 0
	for s := range most {
		sum := 0.0
		for i := from; i < len(heard); i += 7 {
			sum += float64(heard[i]) * float64(sound[i-s])
		}
		if sum > best {
			best, shift = sum, s
		}
	}
	return quality.Compare(sound[from-shift:len(heard)-shift], heard[from:], codec.RateHz)
}

// opusLatency runs both ends on this machine, so the way takes next to nothing.
func opusLatency(length time.Duration) error {
	fmt.Printf("\njackd and PipeWire, period 64, 256000 bit/s, loopback, --latency auto, %s each; one way as the host says, resampling; round trip by jack_iodelay\n", length)
	fmt.Println("packet    one way ms  capture  packet  codec    wire    wait  resample  playout  round trip ms           dropouts  processor")
	for _, packetTime := range append([]time.Duration{0}, packetTimes...) {
		name, common := "F32", []string{"--clock", "free"}
		if packetTime > 0 {
			name = packetTime.String()
			common = append(common, "--format", "opus", "--opus-bitrate", "256000", "--ptime", name)
		}
		err := with(endtoend.Config{PeriodFrames: 64, Common: common}, func(r *endtoend.Rig) error {
			time.Sleep(5 * time.Second) // lock
			before, err := r.Status(proto.Host)
			if err != nil {
				return err
			}
			frames, err := ioDelay(r, "opus", length, func() error { return loop(r) })
			if err != nil {
				return err
			}
			s, err := r.Status(proto.Host)
			if err != nil {
				return err
			}
			d := s.Directions.Receive
			stages := d.LatencyStagesMs
			ms := func(frames float64) float64 { return frames * 1000 / codec.RateHz }
			fmt.Printf("%6s  %12.2f  %7.2f  %6.2f  %5.2f  %6.2f  %6.2f  %8.2f  %7.2f  %.2f (%.2f to %.2f)  %8d  %3.1f %%\n", name, d.LatencyMs.Bridge, stages.Capture, stages.Packet,
				stages.Codec, stages.Wire, stages.Wait, stages.Resample, stages.Playout, ms(frames[len(frames)/2]), ms(frames[0]), ms(frames[len(frames)-1]), d.Dropouts,
				100*(s.CPUSeconds-before.CPUSeconds)/(s.UptimeSeconds-before.UptimeSeconds))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
