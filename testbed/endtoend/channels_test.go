package endtoend

import (
	"fmt"
	"math"
	"testing"
	"time"

	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
)

// The order of PipeWire's 7.1 layout.
var surround = []string{"FL", "FR", "FC", "LFE", "RL", "RR", "SL", "SR"}

func TestChannelsArriveInOrderInBothDirections(t *testing.T) {
	unnamed := make([]string, 64)
	for i := range unnamed {
		unnamed[i] = fmt.Sprint("AUX", i)
	}
	for _, sides := range gate.Soak([][]string{surround}, [][]string{surround, unnamed}) {
		config := Config{
			PeriodFrames: 256, Channels: len(sides), Common: []string{"--latency", "100ms"},
			Host: []string{"--from-guest", "source"},
		}
		t.Run(fmt.Sprint(len(sides)), func(t *testing.T) {
			unbroken(t, config, func(t *testing.T, r *Rig) ([]string, int) { return arriveInOrder(t, r, sides) })
		})
	}
}

func arriveInOrder(t *testing.T, r *Rig, sides []string) (faults []string, serverFailures int) {
	channels := len(sides)
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	onHost := probe.Config{Binary: r.probe, Name: "host-probe", PeriodFrames: 256, Inputs: channels, Duration: 15 * time.Second}
	inGuest := probe.Config{Binary: r.probe, Name: "guest-probe", JackServer: r.JackServer, Inputs: channels, Duration: 8 * time.Second}
	for i := range sides {
		onHost.Outputs = append(onHost.Outputs, probe.Tone(toneOf(i, false), toneDBFS))
		inGuest.Outputs = append(inGuest.Outputs, probe.Tone(toneOf(i, true), toneDBFS))
		inGuest.Connect = append(inGuest.Connect,
			[2]string{fmt.Sprintf("guest-probe:out_%d", i+1), fmt.Sprintf("archibald-to-host:in_%d", i+1)},
			[2]string{fmt.Sprintf("archibald-from-host:out_%d", i+1), fmt.Sprintf("guest-probe:in_%d", i+1)})
	}
	host, err := probe.Start(r.Stack, onHost)
	if err != nil {
		t.Fatal(err)
	}
	for i, side := range sides {
		for from, to := range map[string]string{
			fmt.Sprintf("host-probe:out_%d", i+1):  "archibald-to-guest:playback_" + side,
			"archibald-from-guest:capture_" + side: fmt.Sprintf("host-probe:in_%d", i+1),
		} {
			if err := r.PipeWireConnect(from, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	guest, err := probe.Start(r.Stack, inGuest)
	if err != nil {
		t.Fatal(err)
	}
	guestHeard, err := guest.Finish()
	if err != nil {
		t.Fatal(err)
	}
	hostHeard, err := host.FinishNow()
	if err != nil {
		t.Fatal(err)
	}
	for i := range sides {
		faults = append(faults, wrongTone(t, fmt.Sprintf("host %d", i+1), hostHeard, i, toneOf(i, true))...)
		faults = append(faults, wrongTone(t, fmt.Sprintf("guest %d", i+1), guestHeard, i, toneOf(i, false))...)
	}
	return faults, len(losses(hostHeard)) + hostHeard.Xruns + len(losses(guestHeard)) + guestHeard.Xruns
}

// toneOf is a pitch of its own for every channel of every direction.
func toneOf(channel int, fromGuest bool) float64 {
	hz := 300 + 100*float64(channel)
	if fromGuest {
		hz += 47
	}
	return hz
}

// wrongTone looks at the last second but one: the other side may have stopped in
// the last.
func wrongTone(t *testing.T, name string, r *recording.Recording, channel int, hz float64) (faults []string) {
	t.Helper()
	samples := r.Sound.Channels[channel]
	if len(samples) < 3*r.RateHz {
		t.Fatalf("%s: only %d frames", name, len(samples))
	}
	at := len(samples) - 2*r.RateHz
	if name[0] == 'h' {
		at = len(samples) / 2 // the guest has stopped earlier
	}
	tone, err := signal.Tone(samples[at:at+r.RateHz], r.RateHz, hz)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if math.Abs(tone.FrequencyHz-hz) > 0.5 || math.Abs(tone.LevelDBFS-toneDBFS) > 0.1 {
		faults = append(faults, fmt.Sprintf("%s: %.2f Hz at %.2f dBFS, played %.0f Hz at %.0f dBFS", name, tone.FrequencyHz, tone.LevelDBFS, hz, toneDBFS))
	}
	return faults
}
