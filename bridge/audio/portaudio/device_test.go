package portaudio

import (
	"strings"
	"testing"
)

// A Linux machine with a card and a JACK server, and a microphone of its own API.
var devices = []Device{
	{Number: 0, Name: "HDA Intel: ALC (hw:0,0)", HostAPI: "ALSA", Outputs: 2, Inputs: 2, RateHz: 44100},
	{Number: 1, Name: "HDA Intel: HDMI (hw:0,3)", HostAPI: "ALSA", Outputs: 8, RateHz: 48000},
	{Number: 2, Name: "default", HostAPI: "ALSA", Outputs: 128, Inputs: 128, RateHz: 44100,
		DefaultInput: true, DefaultOutput: true, InputOfAPI: true, OutputOfAPI: true},
	{Number: 3, Name: "system", HostAPI: "JACK", Outputs: 2, Inputs: 2, RateHz: 48000, InputOfAPI: true, OutputOfAPI: true},
	{Number: 4, Name: "7", HostAPI: "OSS", Inputs: 1, RateHz: 8000, InputOfAPI: true},
}

func TestDevicesAreChosenByNumberNameOrPartOfIt(t *testing.T) {
	for _, test := range []struct {
		output, input string
		play, record  int // -1: none
	}{
		{"", "", 2, 2},
		{"default", "0", 2, 0},
		{"1", "", 1, 2},
		{"hdmi", "alc", 1, 0},
		{"SYSTEM", "", 3, 3}, // the default input follows to JACK
		{"", "system", 3, 3},
		{"none", "", -1, 2},
		{"", "none", 2, -1},
		{"none", "4", -1, 4},
		{"hdmi", "none", 1, -1},
	} {
		play, record, err := choose(devices, test.output, test.input)
		if err != nil {
			t.Errorf("%q, %q: %v", test.output, test.input, err)
			continue
		}
		if numberOf(play) != test.play || numberOf(record) != test.record {
			t.Errorf("%q, %q: chose %d and %d, want %d and %d", test.output, test.input, numberOf(play), numberOf(record), test.play, test.record)
		}
	}
}

func numberOf(d *Device) int {
	if d == nil {
		return -1
	}
	return d.Number
}

func TestAMachineWithoutAMicrophonePlays(t *testing.T) {
	speakers := []Device{{Name: "speakers", HostAPI: "ALSA", Outputs: 2, DefaultOutput: true, OutputOfAPI: true}}
	play, record, err := choose(speakers, "", "")
	if err != nil || play == nil || record != nil {
		t.Errorf("chose %v and %v, %v", play, record, err)
	}
}

func TestWrongDevicesAreNamedWithWhatThereIs(t *testing.T) {
	for _, test := range []struct{ output, input, want string }{
		{"Scarlett", "", `output-device "Scarlett": there is none; there are 0 "HDA Intel: ALC (hw:0,0)" (ALSA), 1 "HDA Intel: HDMI (hw:0,3)" (ALSA), 2 "default" (ALSA), 3 "system" (JACK)`},
		{"9", "", `output-device "9": there is none; there are 0`},
		{"4", "", `output-device "4": there is none;`}, // it only records
		{"", "hdmi", `input-device "hdmi": there is none;`},
		{"hda", "", `output-device "hda" can be several, name one by its number: 0 "HDA Intel: ALC (hw:0,0)" (ALSA), 1 "HDA Intel: HDMI (hw:0,3)" (ALSA)`},
		{"hdmi", "system", `output-device "HDA Intel: HDMI (hw:0,3)" is of ALSA and input-device "system" of JACK: both must be of one host API`},
		{"none", "none", "output-device and input-device: no device at all; name one of the two"},
		{"", "4", "no device to play on: there are 0"}, // none of OSS plays
	} {
		_, _, err := choose(devices, test.output, test.input)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q, %q: %v, want %s", test.output, test.input, err, test.want)
		}
	}
	if _, _, err := choose(nil, "", ""); err == nil || err.Error() != "no device to play on: there are none at all" {
		t.Errorf("no devices: %v", err)
	}
}

func TestTooFewChannelsNameTheFlagThatHelps(t *testing.T) {
	want := `input-device "7" has 1 channels and 2 are wanted: use --send-channels 1 or another device`
	if err := input.checkChannels(&devices[4], 2, "send-channels"); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := output.checkChannels(&devices[1], 8, "receive-channels"); err != nil {
		t.Error(err)
	}
	if err := output.checkChannels(nil, 8, "receive-channels"); err != nil {
		t.Error(err)
	}
}

func TestDevicesAreListedInColumns(t *testing.T) {
	var text strings.Builder
	if err := WriteDevices(&text, devices[2:4]); err != nil {
		t.Fatal(err)
	}
	want := "number  name     host API  outputs  inputs  rate   default\n" +
		"2       default  ALSA      128      128     44100  output, input\n" +
		"3       system   JACK      2        2       48000  \n"
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
	text.Reset()
	if err := WriteDevices(&text, nil); err != nil || text.String() != "PortAudio finds no devices.\n" {
		t.Errorf("%q, %v", text.String(), err)
	}
}
