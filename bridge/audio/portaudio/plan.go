//go:build portaudio

package portaudio

// #include "shim.h"
import "C"

import (
	"fmt"
	"strings"
	"time"

	"archibald-bridge/bridge/audio"
)

// usualRate is what to run at if nobody says: the guest's, mostly.
const usualRate = 48000

// knownRates are tried when a device does not take the wanted one.
var knownRates = []int{8000, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000}

// plan is a stream that is to be opened.
type plan struct {
	play, record         *Device // nil: none
	send, receive        int     // channels
	rateHz, periodFrames int
}

// plan chooses devices, rate and period. It is for the library's thread.
func (s *Server) plan(devices []Device, config audio.Config) (plan, error) {
	p := plan{send: config.SendChannels, receive: config.ReceiveChannels, rateHz: config.RateHz}
	for _, channels := range []int{p.send, p.receive} {
		if channels < 0 || channels > C.archibald_portaudio_max_channels {
			return p, fmt.Errorf("PortAudio: %d channels, legal are 0 to %d", channels, int(C.archibald_portaudio_max_channels))
		}
	}
	// A direction without channels needs no device.
	wantOutput, wantInput := s.options.OutputDevice, s.options.InputDevice
	if p.receive == 0 {
		wantOutput = None
	}
	if p.send == 0 {
		wantInput = None
	}
	var err error
	if p.play, p.record, err = choose(devices, wantOutput, wantInput); err != nil {
		return p, err
	}
	if err := output.checkChannels(p.play, p.receive, "receive-channels"); err != nil {
		return p, err
	}
	if err := input.checkChannels(p.record, p.send, "send-channels"); err != nil {
		return p, err
	}
	if p.rateHz == 0 {
		p.rateHz = usualRate
		if p.supports() != C.paFormatIsSupported {
			p.rateHz = p.leader().RateHz
		}
	}
	if code := p.supports(); code != C.paFormatIsSupported {
		return p, p.refused(code)
	}
	p.periodFrames, err = periodOf(config.PeriodFrames, p.rateHz)
	return p, err
}

// leader is the device that gives the time.
func (p plan) leader() *Device {
	if p.play != nil {
		return p.play
	}
	return p.record
}

func (p plan) supports() C.PaError { return C.archibald_portaudio_supports(p.c()) }

// refused says why the devices do not take this, and which rates they take.
func (p plan) refused(code C.PaError) error {
	if code != C.paInvalidSampleRate {
		return fmt.Errorf("%s: %s", p, reason(code))
	}
	var taken []string
	for _, rate := range knownRates {
		other := p
		other.rateHz = rate
		if other.supports() == C.paFormatIsSupported {
			taken = append(taken, fmt.Sprint(rate))
		}
	}
	if taken == nil {
		taken = []string{"none of the usual ones"}
	}
	return fmt.Errorf("%s: not at %d Hz; it takes %s (--rate)", p, p.rateHz, strings.Join(taken, ", "))
}

func (p plan) String() string {
	var parts []string
	if p.play != nil {
		parts = append(parts, fmt.Sprintf("output-device %q", p.play.Name))
	}
	if p.record != nil {
		parts = append(parts, fmt.Sprintf("input-device %q", p.record.Name))
	}
	return strings.Join(parts, " with ") + " (" + p.leader().HostAPI + ")"
}

func (p plan) c() *C.struct_archibald_portaudio_plan {
	// A buffer of two periods is the least that can be kept full.
	least := 2 * time.Duration(p.periodFrames) * time.Second / time.Duration(max(p.rateHz, 1))
	c := &C.struct_archibald_portaudio_plan{
		capture_device: -1, playout_device: -1,
		send_channels: C.uint32_t(p.send), receive_channels: C.uint32_t(p.receive),
		rate_hz: C.uint32_t(p.rateHz), period_frames: C.uint32_t(p.periodFrames),
	}
	if p.play != nil {
		c.playout_device = C.int(p.play.Number)
		c.playout_latency_s = C.double(max(least, p.play.outputLatency).Seconds())
	}
	if p.record != nil {
		c.capture_device = C.int(p.record.Number)
		c.capture_latency_s = C.double(max(least, p.record.inputLatency).Seconds())
	}
	return c
}

func reason(code C.PaError) string { return C.GoString(C.archibald_portaudio_reason(code)) }
