package pipewire

import (
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
)

// bothRates lets the graph change its rate, as some desktops do for what plays.
const bothRates = `context.properties = { default.clock.allowed-rates = [ 44100 48000 ] }`

// within waits for a rate; nothing but Graph is asked, as a session does.
func (b *bridge) within(t *testing.T, limit time.Duration, rateHz int) {
	t.Helper()
	begun := time.Now()
	for b.Graph().RateHz != rateHz {
		if time.Since(begun) > limit {
			t.Fatalf("%+v, not %d Hz within %s", b.Graph(), rateHz, limit)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// TestRateIsKnownWhileIdle: of a bridge that was open before, and one that is opened.
func TestRateIsKnownWhileIdle(t *testing.T) {
	d := ownDesktop(t, bothRates)
	b := openBridge(t, "")
	b.drain(t)
	sink, stream := d.nodeID(t, "archibald-to-guest"), d.nodeID(t, "archibald-from-guest")
	b.within(t, 0, 48000)
	for _, rate := range []int{44100, 48000, 44100} {
		d.run(t, "pw-metadata", "-n", "settings", "0", "clock.force-rate", "0")
		d.setting(t, "clock.force-rate", rate)
		b.within(t, 2*time.Second, rate)
		b.Close()
		if graph := b.mustOpen(t, stereo("")); graph.RateHz != rate {
			t.Errorf("opened at %d Hz, the graph is set to %d", graph.RateHz, rate)
		}
		b.SetActive(true)
		b.runs(t, 10)
		b.within(t, 0, rate)
		b.SetActive(false)
		b.within(t, 2*time.Second, rate)
		sink, stream = d.nodeID(t, "archibald-to-guest"), d.nodeID(t, "archibald-from-guest")
	}
	// It is let go of, and takes the rate that PipeWire chooses. A session asks again and
	// again, and knows it within two seconds, like the others.
	d.setting(t, "clock.force-rate", 0)
	idle := b.Graph()
	for range 4 {
		time.Sleep(500 * time.Millisecond)
		idle = b.Graph()
	}
	b.SetActive(true)
	b.runs(t, 10)
	if graph := b.Graph(); graph.RateHz != idle.RateHz {
		t.Errorf("said %+v, and runs at %+v", idle, graph)
	}
	if sink == "" || sink != d.nodeID(t, "archibald-to-guest") || stream != d.nodeID(t, "archibald-from-guest") {
		t.Error("the nodes are others")
	}
}

// The graph takes the rate of a file that plays before the bridge comes, and its own
// again when it ends. Nobody tells an idle node.
func TestAFileThatBeganBeforeTheBridgeGivesTheGraphItsRateForAsLongAsItPlays(t *testing.T) {
	d := ownDesktop(t, bothRates)
	d.run(t, "pw-cli", "destroy", "null-sink") // that one runs all the time
	d.run(t, "pw-cli", "create-node", "adapter",
		"{ factory.name=support.null-audio-sink node.name=idles media.class=Audio/Sink audio.position=[FL FR] object.linger=1 }")
	eventually(t, "it has ports", func() bool { return len(d.ports(t, "idles")) == 4 })
	player := d.start(t, "pw-cat", "-p", writeTonesAt(t, 44100, 8, 440, 440))
	eventually(t, "the file plays", func() bool { return d.linked(t, "pw-cat:output_FL", "idles:playback_FL") })
	time.Sleep(time.Second)
	b := newBridge(t, audio.Options{})
	b.drain(t)
	config := stereo("")
	config.RateHz = 0
	if graph := b.mustOpen(t, config); graph.RateHz != 44100 {
		t.Errorf("opened with %+v while a file of 44.1 kHz plays", graph)
	}
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		b.within(t, 0, 44100)
	}
	if _, err := player.Wait(20 * time.Second); err != nil {
		t.Fatal(err)
	}
	b.within(t, 2500*time.Millisecond, 48000)
	b.SetActive(true)
	b.runs(t, 10)
	b.within(t, 0, 48000)
}

func TestGraphIsThatOfTheDriverWhenNothingIsLinked(t *testing.T) {
	d := ownDesktop(t, bothRates)
	b := newBridge(t, audio.Options{Source: true})
	b.drain(t)
	config := stereo("")
	config.ReceiveChannels = 0
	b.mustOpen(t, config)
	d.setting(t, "clock.force-rate", 44100)
	b.within(t, 2*time.Second, 44100)
	d.setting(t, "clock.force-rate", 48000)
	b.within(t, 2*time.Second, 48000)
}
