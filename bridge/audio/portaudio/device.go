package portaudio

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Device is one of PortAudio's devices. A card of the machine is one for each
// host API that knows it.
type Device struct {
	Number  int // holds until something is plugged in or out
	Name    string
	HostAPI string
	Inputs  int // channels at most
	Outputs int
	RateHz  int // its own, of several that it may have

	DefaultInput, DefaultOutput bool // of this machine
	InputOfAPI, OutputOfAPI     bool // the default of its host API

	inputLatency, outputLatency time.Duration // the shortest that is said to be safe
}

// jackAPI is the host API that PortAudio has for JACK servers.
const jackAPI = "JACK Audio Connection Kit"

// None is the name of no device: silence.
const None = "none"

// ErrNotBuilt is why a program built without the tag portaudio has no devices.
var ErrNotBuilt = errors.New("this program was built without PortAudio: build it with make build TAGS=portaudio")

// direction is one side of a device.
type direction struct {
	key          string // names it in errors
	channels     func(Device) int
	isDefault    func(Device) bool
	defaultOfAPI func(Device) bool
}

var (
	output = direction{"output-device", func(d Device) int { return d.Outputs },
		func(d Device) bool { return d.DefaultOutput }, func(d Device) bool { return d.OutputOfAPI }}
	input = direction{"input-device", func(d Device) int { return d.Inputs },
		func(d Device) bool { return d.DefaultInput }, func(d Device) bool { return d.InputOfAPI }}
)

// choose finds the devices to play on and to record from, by the user's words
// for them. Both must be of one host API, so a default follows the one that was
// named. nil is silence: asked for, or for want of an input.
func choose(devices []Device, wantOutput, wantInput string) (play, record *Device, err error) {
	if play, err = output.named(devices, wantOutput); err != nil {
		return nil, nil, err
	}
	if record, err = input.named(devices, wantInput); err != nil {
		return nil, nil, err
	}
	if wantOutput == "" {
		if play = output.standard(devices, record); play == nil {
			return nil, nil, fmt.Errorf("no device to play on: there are %s", output.list(devices))
		}
	}
	if wantInput == "" {
		record = input.standard(devices, play)
	}
	switch {
	case play == nil && record == nil:
		return nil, nil, errors.New("output-device and input-device: no device at all; name one of the two")
	case play != nil && record != nil && play.HostAPI != record.HostAPI:
		return nil, nil, fmt.Errorf("output-device %q is of %s and input-device %q of %s: both must be of one host API",
			play.Name, play.HostAPI, record.Name, record.HostAPI)
	}
	return play, record, nil
}

// standard is the default device, of the other one's host API if there is one.
func (d direction) standard(devices []Device, other *Device) *Device {
	for i, device := range devices {
		if other == nil && d.isDefault(device) || other != nil && d.defaultOfAPI(device) && device.HostAPI == other.HostAPI {
			return &devices[i]
		}
	}
	return nil
}

// named finds a device by its number, its name or a part of that; nil for a
// default and for None.
func (d direction) named(devices []Device, wanted string) (*Device, error) {
	if wanted == "" || wanted == None {
		return nil, nil
	}
	number, notNumber := strconv.Atoi(wanted)
	var same, similar []Device
	for _, device := range devices {
		switch {
		case d.channels(device) == 0:
		case notNumber == nil && device.Number == number, strings.EqualFold(device.Name, wanted):
			same = append(same, device)
		case notNumber != nil && strings.Contains(strings.ToLower(device.Name), strings.ToLower(wanted)):
			similar = append(similar, device)
		}
	}
	if len(same) == 0 {
		same = similar
	}
	switch len(same) {
	case 0:
		return nil, fmt.Errorf("%s %q: there is none; there are %s", d.key, wanted, d.list(devices))
	case 1:
		return &same[0], nil
	}
	return nil, fmt.Errorf("%s %q can be several, name one by its number: %s", d.key, wanted, d.list(same))
}

// list names the devices of one direction in a line.
func (d direction) list(devices []Device) string {
	var names []string
	for _, device := range devices {
		if d.channels(device) > 0 {
			names = append(names, fmt.Sprintf("%d %q (%s)", device.Number, device.Name, device.HostAPI))
		}
	}
	if len(names) == 0 {
		return "none at all"
	}
	return strings.Join(names, ", ")
}

// checkChannels says whether a device has the channels that the bridge has.
func (d direction) checkChannels(device *Device, channels int, key string) error {
	if device == nil || channels <= d.channels(*device) {
		return nil
	}
	return fmt.Errorf("%s %q has %d channels and %d are wanted: use --%s %d or another device",
		d.key, device.Name, d.channels(*device), channels, key, d.channels(*device))
}

// WriteDevices prints a table of devices.
func WriteDevices(w io.Writer, devices []Device) error {
	if len(devices) == 0 {
		_, err := fmt.Fprintln(w, "PortAudio finds no devices.")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "number\tname\thost API\toutputs\tinputs\trate\tdefault")
	for _, d := range devices {
		var standard []string
		if d.DefaultOutput {
			standard = append(standard, "output")
		}
		if d.DefaultInput {
			standard = append(standard, "input")
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%d\t%d\t%d\t%s\n", d.Number, d.Name, d.HostAPI, d.Outputs, d.Inputs, d.RateHz, strings.Join(standard, ", "))
	}
	return table.Flush()
}
