package config

import (
	"testing"

	"archibald-bridge/bridge/audio"
)

func TestNoBackendIsAskedForAPeriodThatItsKeyForbids(t *testing.T) {
	least, most := maxPeriod, 0
	for _, b := range audio.Backends {
		if b.ChoosesPeriod() {
			least, most = min(least, b.LeastPeriodFrames), max(most, b.MostPeriodFrames)
		}
	}
	if least != minPeriod || most != maxPeriod {
		t.Errorf("backends can be asked for %d to %d frames, the keys for %d to %d", least, most, minPeriod, maxPeriod)
	}
}
