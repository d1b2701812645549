package interop

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// datagram is one that was captured.
type datagram struct {
	data      []byte
	arrivalNs int64 // since the capture began
}

const (
	replaySeconds = 15 // of the capture
	replayDelay   = 10 // the part of a second that is played behind the first packet: 100 ms
)

// replay hands what tshark captured of a sender to our core on virtual time, whose
// clock is then exactly the sender's, and judges what it plays. So a case in which our
// end had to resample shows whether each packet is read bit for bit.
func (r *Result) replay(c *run, captured *capture) error {
	text, err := captured.tshark("-Y", fmt.Sprintf("udp.dstport == %d && frame.time_relative < %d", c.port, replaySeconds),
		"-T", "fields", "-e", "frame.time_relative", "-e", "udp.payload")
	if err != nil {
		return err
	}
	var all []datagram
	for line := range strings.Lines(text) {
		at, payload, _ := strings.Cut(strings.TrimSpace(line), "\t")
		seconds, err := strconv.ParseFloat(at, 64)
		if err != nil {
			return fmt.Errorf("tshark: %q", line)
		}
		data, err := hex.DecodeString(payload)
		if err != nil || len(data) < 12 {
			return fmt.Errorf("tshark: %q", line)
		}
		all = append(all, datagram{data, int64(seconds * 1e9)})
	}
	if len(all) == 0 {
		return nil
	}
	heard, err := playVirtually(proto.Format{Encoding: c.Encoding, RateHz: c.RateHz, Channels: c.Channels}, all)
	if err != nil {
		return err
	}
	alone := Result{Case: r.Case}
	alone.judgeNoises(heard, c.seed)
	r.Replayed, r.ReplayedDifferent = alone.Compared, alone.Different
	r.Misplaced = append(r.Misplaced, alone.Misplaced...)
	return nil
}

// playVirtually plays the last stream of a capture.
func playVirtually(format proto.Format, all []datagram) ([][]float32, error) {
	ssrc := binary.BigEndian.Uint32(all[len(all)-1].data[8:])
	for len(all) > 0 && binary.BigEndian.Uint32(all[0].data[8:]) != ssrc {
		all = all[1:]
	}
	core, err := rt.NewVirtual(format.RateHz)
	if err != nil {
		return nil, err
	}
	defer core.Close()
	plan := stream.ReceivePlan{Format: stream.Format{Encoding: stream.Encoding(format.Encoding), RateHz: format.RateHz, Channels: format.Channels}, PayloadType: all[0].data[1] & 0x7f}
	if err := core.StartReceiver(plan); err != nil {
		return nil, err
	}
	core.SetRatio(1)
	heard := make([][]float32, format.Channels)
	first, startNs := int64(binary.BigEndian.Uint32(all[0].data[4:])), all[0].arrivalNs
	for frame := uint64(0); len(all) > 0; frame += periodFrames {
		nowNs := startNs + int64(frame)*1e9/int64(format.RateHz)
		for len(all) > 0 && all[0].arrivalNs <= nowNs {
			core.Receive(all[0].data, all[0].arrivalNs)
			all = all[1:]
		}
		if frame == periodFrames { // the media clock runs
			core.SeekTo(first - int64(format.RateHz/replayDelay) - core.Media())
		}
		for channel, samples := range core.Play(format.Channels, periodFrames, frame, nowNs) {
			heard[channel] = append(heard[channel], samples...)
		}
		for n := 1; n > 0; { // nobody else reads them
			n = core.Observe(make([]stream.Observation, 256))
		}
	}
	return heard, nil
}
