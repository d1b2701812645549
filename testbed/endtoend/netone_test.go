package endtoend

import (
	"testing"
	"time"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/gate"
)

// A guest whose JACK server has no clock has sound with a host that leads nobody, as with any clock.
func TestAServerWithoutAClockPlaysWhereNobodyLeads(t *testing.T) {
	unbroken(t, Config{PeriodFrames: 256, Netone: proto.Guest, Common: []string{"--latency", "100ms"}},
		func(t *testing.T, r *Rig) (faults []string, serverFailures int) {
			if err := r.StartAll(); err != nil {
				t.Fatal(err)
			}
			d, err := r.Duplex(gate.Soak(10*time.Second, time.Minute), 100*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range d.Heard {
				t.Logf("%s: %d gaps, %.3f Hz", h.Channel, len(h.Gaps), h.Tone.FrequencyHz)
				faults = append(faults, h.Faults()...)
			}
			return faults, d.ServerFailures()
		})
}
