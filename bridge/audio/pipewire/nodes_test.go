package pipewire

import (
	"slices"
	"strings"
	"testing"

	"archibald-bridge/bridge/audio"
)

func TestNodesHaveTheDocumentedNamesAndPorts(t *testing.T) {
	d := sharedDesktop(t)
	for _, test := range []struct{ bridge, sink, stream string }{
		{"", "archibald-to-guest", "archibald-from-guest"},
		{"lab", "archibald-lab-to-guest", "archibald-lab-from-guest"},
	} {
		b := openBridge(t, test.bridge)
		b.drain(t)
		want := []string{"monitor_FL", "monitor_FR", "playback_FL", "playback_FR"}
		eventually(t, test.sink+" has its ports", func() bool {
			ports := d.ports(t, test.sink)
			slices.Sort(ports)
			return slices.Equal(ports, want)
		})
		eventually(t, test.stream+" has its ports", func() bool {
			return slices.Equal(d.ports(t, test.stream), []string{"output_FL", "output_FR"})
		})
		b.Close()
		eventually(t, "Close removes both nodes", func() bool {
			return len(d.ports(t, test.sink))+len(d.ports(t, test.stream)) == 0
		})
	}
}

func TestSinkIsOfferedToTheUserByItsDescription(t *testing.T) {
	d := sharedDesktop(t)
	openBridge(t, "lab")
	eventually(t, "wpctl status lists it among the sinks", func() bool {
		_, sinks, _ := strings.Cut(d.run(t, "wpctl", "status"), "Sinks:")
		sinks, _, _ = strings.Cut(sinks, "Sources:")
		return strings.Contains(sinks, "Archibald guest (lab)")
	})
}

func TestStreamIsLinkedToTheDefaultSinkByTheSessionManager(t *testing.T) {
	d := sharedDesktop(t)
	openBridge(t, "")
	eventually(t, "link to the null sink", func() bool {
		return d.linked(t, "archibald-from-guest:output_FL", "null-sink:playback_FL") &&
			d.linked(t, "archibald-from-guest:output_FR", "null-sink:playback_FR")
	})
}

func TestSourceOptionMakesADeviceThatProgramsRecordFrom(t *testing.T) {
	d := sharedDesktop(t)
	b := newBridge(t, audio.Options{Source: true})
	b.mustOpen(t, stereo(""))
	eventually(t, "capture ports", func() bool {
		return slices.Equal(d.ports(t, "archibald-from-guest"), []string{"capture_FL", "capture_FR"})
	})
	eventually(t, "wpctl status lists it among the sources", func() bool {
		_, sources, _ := strings.Cut(d.run(t, "wpctl", "status"), "Sources:")
		sources, _, _ = strings.Cut(sources, "Streams:")
		return strings.Contains(sources, "From Archibald guest")
	})
}

func TestPortsFollowTheUsualLayouts(t *testing.T) {
	d := sharedDesktop(t)
	for channels, layout := range map[int]string{
		1:  "MONO",
		2:  "FL FR",
		3:  "FL FR FC",
		4:  "FL FR RL RR",
		5:  "FL FR FC RL RR",
		6:  "FL FR FC LFE RL RR",
		7:  "FL FR FC LFE RC SL SR",
		8:  "FL FR FC LFE RL RR SL SR",
		10: "AUX0 AUX1 AUX2 AUX3 AUX4 AUX5 AUX6 AUX7 AUX8 AUX9",
	} {
		// A source: to a stream the session manager gives the ports of the sink
		// it links it to, and PipeWire mixes.
		b := newBridge(t, audio.Options{Source: true})
		config := stereo("layout")
		config.SendChannels, config.ReceiveChannels = channels, channels
		b.mustOpen(t, config)
		var want []string
		for position := range strings.FieldsSeq(layout) {
			want = append(want, "capture_"+position)
		}
		eventually(t, layout, func() bool {
			return slices.Equal(d.ports(t, "archibald-layout-from-guest"), want) &&
				len(d.ports(t, "archibald-layout-to-guest")) == 2*channels
		})
		b.Close()
	}
}

func TestSixtyFourChannelsRun(t *testing.T) {
	sharedDesktop(t)
	b := newBridge(t, audio.Options{})
	b.drain(t)
	config := stereo("wide")
	config.SendChannels, config.ReceiveChannels = MaxChannels, MaxChannels
	b.mustOpen(t, config)
	b.SetActive(true)
	b.runs(t, 20)
	_, cycles := b.core.CaptureCalls(1)
	if cycles[0].Channels != MaxChannels {
		t.Errorf("capture had %d channels, want %d", cycles[0].Channels, MaxChannels)
	}
}

func TestDirectionWithoutChannelsHasNoNode(t *testing.T) {
	d := sharedDesktop(t)
	for _, test := range []struct {
		name          string
		send, receive int
		absent        string
	}{
		{"sends", 2, 0, "archibald-sends-from-guest"},
		{"receives", 0, 2, "archibald-receives-to-guest"},
	} {
		b := newBridge(t, audio.Options{})
		b.drain(t)
		b.mustOpen(t, audio.Config{Name: test.name, SendChannels: test.send, ReceiveChannels: test.receive, PeriodFrames: 256})
		b.SetActive(true)
		// The media clock advances in playout: it is called in any case.
		eventually(t, "playout called", func() bool { n, _ := b.core.Played(0); return n > 20 })
		if ports := d.ports(t, test.absent); len(ports) != 0 {
			t.Errorf("%s has ports %v", test.absent, ports)
		}
		captures, _ := b.core.CaptureCalls(0)
		if (captures > 0) != (test.send > 0) {
			t.Errorf("%s: %d capture calls with %d channels to send", test.name, captures, test.send)
		}
		b.Close()
	}
}
