package pipewire

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/config"
	"archibald-bridge/testbed/fakecore"
)

// TestEachChannelCanBePatchedWhateverTheSink leads every port of the stream into
// another one of the sink, back to front.
func TestEachChannelCanBePatchedWhateverTheSink(t *testing.T) {
	d := sharedDesktop(t)
	for _, test := range []struct {
		channels int
		mapped   string
		ports    string
	}{
		{3, "", "FL FR FC"},
		{4, "", "FL FR RL RR"},
		{6, "", "FL FR FC LFE RL RR"},
		{8, "", "FL FR FC LFE RL RR SL SR"},
		{9, "", "AUX0 AUX1 AUX2 AUX3 AUX4 AUX5 AUX6 AUX7 AUX8"},
		{6, "AUX0,AUX1,AUX2,AUX3,AUX4,AUX5", "AUX0 AUX1 AUX2 AUX3 AUX4 AUX5"},
		{4, "FR,FL,LFE,TFC", "FR FL LFE TFC"},
		{2, "AUX0,AUX1", "AUX0 AUX1"},
	} {
		t.Run(fmt.Sprint(test.channels, test.mapped), func(t *testing.T) {
			var m config.ChannelMap
			if err := m.UnmarshalText([]byte(test.mapped)); err != nil {
				t.Fatal(err)
			}
			positions := strings.Fields(test.ports)
			b := newBridge(t, audio.Options{Positions: m.Positions})
			b.drain(t)
			c := stereo("wide")
			c.SendChannels, c.ReceiveChannels = test.channels, test.channels
			b.mustOpen(t, c)
			var tones []float64
			for i := range positions {
				tones = append(tones, 500+250*float64(i))
			}
			b.core.PlayTones(tones...)
			b.SetActive(true)
			var want []string
			for _, position := range positions {
				want = append(want, "output_"+position)
			}
			eventually(t, "a port for each channel", func() bool { return slices.Equal(d.ports(t, "archibald-wide-from-guest"), want) })
			for i, position := range positions {
				to := "archibald-wide-to-guest:playback_" + positions[len(positions)-1-i]
				if err := d.PipeWireConnect("archibald-wide-from-guest:output_"+position, to); err != nil {
					t.Fatal(err)
				}
			}
			var wantHeard, heard []float64
			for i := range positions {
				wantHeard = append(wantHeard, tones[len(positions)-1-i])
			}
			for begun := time.Now(); !slices.Equal(heard, wantHeard); time.Sleep(50 * time.Millisecond) {
				if time.Since(begun) > 10*time.Second {
					t.Fatalf("channels have the tones %v Hz, want %v", heard, wantHeard)
				}
				heard = nil
				for channel := range positions {
					heard = append(heard, b.hearsAlone(channel, tones))
				}
			}
		})
	}
}

// hearsAlone is which of the tones the core gets on a channel, at their level and
// without the others; 0: none.
func (b *bridge) hearsAlone(channel int, tones []float64) (only float64) {
	samples := b.core.Captured(channel, 9600)
	if len(samples) < 9600 {
		return 0
	}
	for _, hz := range tones {
		switch at := level(samples, hz); {
		case math.Abs(at-fakecore.Amplitude) < 0.01 && only == 0:
			only = hz
		case at > 0.01:
			return -1
		}
	}
	return only
}

func TestMonoAndStereoAreHeardAtBothSpeakers(t *testing.T) {
	d := sharedDesktop(t)
	for _, channels := range []int{1, 2} {
		b := newBridge(t, audio.Options{})
		c := stereo("narrow")
		c.ReceiveChannels = channels
		b.mustOpen(t, c)
		eventually(t, "both speakers are linked", func() bool {
			return d.linked(t, "archibald-narrow-from-guest:output_FL", "null-sink:playback_FL") &&
				d.linked(t, "archibald-narrow-from-guest:output_FR", "null-sink:playback_FR")
		})
		b.Close()
	}
}

func TestMoreChannelsArePlayedAtTheSpeakersThatThereAre(t *testing.T) {
	d := sharedDesktop(t)
	b := newBridge(t, audio.Options{})
	c := stereo("wide")
	c.ReceiveChannels = 6
	b.mustOpen(t, c)
	eventually(t, "both speakers are linked", func() bool {
		return d.linked(t, "archibald-wide-from-guest:output_FL", "null-sink:playback_FL") &&
			d.linked(t, "archibald-wide-from-guest:output_FR", "null-sink:playback_FR")
	})
}

func TestPipeWireKnowsEachPositionOfTheConfiguration(t *testing.T) {
	seen := map[uint32]string{}
	for _, position := range config.ChannelPositions() {
		number := positionNumber(position)
		if number == 0 || seen[number] != "" {
			t.Errorf("%s is %d, as %q", position, number, seen[number])
		}
		seen[number] = position
	}
	for _, layout := range layouts {
		for position := range strings.FieldsSeq(layout) {
			if positionNumber(position) == 0 {
				t.Errorf("%s of %q is unknown", position, layout)
			}
		}
	}
	if _, err := newBridge(t, audio.Options{Positions: []string{"FL", "LEFT"}}).Open(stereo("")); err == nil || !strings.Contains(err.Error(), `"LEFT"`) {
		t.Errorf("an unknown position: %v", err)
	}
}
