package pipewire

import (
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
)

// troubled waits for a trouble that says all of it, none: until there is none.
func (b *bridge) troubled(t *testing.T, parts ...string) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		text := b.Trouble()
		good := (text == "") == (len(parts) == 0)
		for _, part := range parts {
			good = good && strings.Contains(text, part)
		}
		if good {
			return
		}
		if time.Since(begun) > 5*time.Second {
			t.Fatalf("%q does not say %q within 5 s", text, parts)
		}
	}
}

func (b *bridge) neverTroubled(t *testing.T, within time.Duration) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < within; time.Sleep(100 * time.Millisecond) {
		if trouble := b.Trouble(); trouble != "" {
			t.Fatal(trouble)
		}
	}
}

func TestAGraphWithoutASessionManagerIsNamedWhileASessionIsUp(t *testing.T) {
	d := ownDesktop(t)
	d.wireplumber.Kill9()
	b := openBridge(t, "ann")
	b.drain(t)
	b.neverTroubled(t, 3*time.Second) // nobody misses it
	b.SetActive(true)
	b.troubled(t, "no session manager", "archibald-ann-from-guest", "wireplumber")
	if err := d.wireplumber.Restart(); err != nil {
		t.Fatal(err)
	}
	b.troubled(t)
	b.runs(t, 10)
	b.neverTroubled(t, 3*time.Second)
	b.SetActive(false)
	d.wireplumber.Kill9()
	b.neverTroubled(t, 3*time.Second)
}

func TestASessionManagerThatDiesIsMissedUntilTheStreamIsLinkedByHand(t *testing.T) {
	d := ownDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	b.SetActive(true)
	b.runs(t, 10)
	d.wireplumber.Kill9()
	eventually(t, "its links are gone", func() bool {
		return !d.linked(t, "archibald-from-guest:output_FL", "null-sink:playback_FL")
	})
	b.troubled(t, "no session manager")
	if err := d.PipeWireConnect("archibald-from-guest:output_FL", "null-sink:playback_FL"); err != nil {
		t.Fatal(err)
	}
	b.troubled(t)
}

func TestAStreamThatPlaysOnNothingIsNamed(t *testing.T) {
	d := ownDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	b.SetActive(true)
	b.neverTroubled(t, 3*time.Second)
	d.run(t, "pw-cli", "destroy", "null-sink")
	b.troubled(t, "archibald-from-guest plays on nothing")
	d.run(t, "pw-cli", "create-node", "adapter",
		"{ factory.name=support.null-audio-sink node.name=late media.class=Audio/Sink audio.position=[FL FR] object.linger=1 }")
	b.troubled(t)
}

func TestPeriodThatIsNotTheOneAskedForHasAReason(t *testing.T) {
	d := ownDesktop(t)
	b := newBridge(t, audio.Options{})
	b.drain(t)
	open := func(period int) {
		t.Helper()
		b.Close()
		config := stereo("")
		config.PeriodFrames = period
		b.mustOpen(t, config)
		b.SetActive(true)
	}
	// why checks idle and running alike.
	why := func(asked, runs int, parts ...string) {
		t.Helper()
		for _, active := range []bool{false, true} {
			b.SetActive(active)
			if active {
				b.runs(t, 3)
			}
			eventually(t, "the period", func() bool { return b.Graph().PeriodFrames == runs })
			reason := b.WhyPeriod(asked, runs)
			for _, part := range parts {
				if !strings.Contains(reason, part) {
					t.Errorf("asked for %d, runs at %d, active %v: %q does not say %q", asked, runs, active, reason, part)
				}
			}
		}
	}
	open(64)
	why(64, 64)
	d.setting(t, "clock.min-quantum", 1024)
	why(64, 1024, "min-quantum is 1024", "VM", "clock.min-quantum 64")
	d.run(t, "pw-metadata", "-n", "settings", "0", "clock.min-quantum", "16")
	d.setting(t, "clock.force-quantum", 512)
	why(64, 512, "clock.force-quantum is set to 512", "clock.force-quantum 0")
	d.run(t, "pw-metadata", "-n", "settings", "0", "clock.force-quantum", "0")
	d.setting(t, "clock.max-quantum", 256)
	open(1024)
	why(1024, 256, "max-quantum is 256")
	d.run(t, "pw-metadata", "-n", "settings", "0", "clock.max-quantum", "8192")
	open(96)
	why(96, 64, "power of two")

	open(64)
	d.start(t, "pw-cat", "-p", "-P", "{ node.force-quantum = 2048 }", writeTones(t, 60, 440, 440))
	eventually(t, "another program's period", func() bool { return b.Graph().PeriodFrames == 2048 })
	if reason := b.WhyPeriod(64, 2048); !strings.Contains(reason, "another program") {
		t.Errorf("%q", reason)
	}
}

func TestPeriodIsSaidAsItWillBeWhenTheBridgeIsOpened(t *testing.T) {
	ownDesktop(t, `context.properties = { default.clock.min-quantum = 1024, vm.overrides = { } }`)
	b := newBridge(t, audio.Options{})
	config := stereo("")
	config.PeriodFrames = 64
	if graph := b.mustOpen(t, config); graph != (audio.Graph{RateHz: 48000, PeriodFrames: 1024}) {
		t.Errorf("%+v", graph)
	}
	if reason := b.WhyPeriod(64, 1024); !strings.Contains(reason, "min-quantum is 1024") {
		t.Errorf("%q", reason)
	}
}
