package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

// clocks is what the two ends are told about their clocks.
type clocks struct{ guest, host string }

var (
	freeClocks = clocks{"free", "free"}
	guestLeads = clocks{"lead", "follow"}
	hostLeads  = clocks{"follow", "lead"}
)

// flags are what a setting adds for both ends: a latency with free clocks, else what
// follows who leads.
func (c clocks) flags(setting string) []string {
	if c == freeClocks {
		return []string{"--latency", setting}
	}
	_, flags, _ := strings.Cut(setting, " leads")
	return strings.Fields(flags)
}

// startOurs starts both servers, the host's as the trial says, and both ends of this bridge.
// from is the host's PipeWire, nil for the installed one.
func startOurs(c clocks, from *unpacked) func(*pair, string) (*bridge, error) {
	return func(p *pair, setting string) (*bridge, error) {
		var err error
		if p.hostsPipeWire {
			err = p.startDesktop(p.host, from, "")
		} else {
			err = p.startHostJackd()
		}
		if err != nil {
			return nil, err
		}
		if c == hostLeads {
			p.guest.jackd, err = p.guest.StartJackdArguments("guest", p.followingJackd()...)
		} else {
			err = p.startGuestJackd()
		}
		if err != nil {
			return nil, err
		}
		return p.addOurs(c, from, setting)
	}
}

// addOurs is startOurs with servers that run.
func (p *pair) addOurs(c clocks, from *unpacked, setting string) (*bridge, error) {
	b := &bridge{
		in:     [2]string{"archibald-to-host:in_1", "archibald-to-host:in_2"},
		out:    [2]string{"archibald-from-host:out_1", "archibald-from-host:out_2"},
		status: p.status,
	}
	host := []string{"host", "--allow", p.guest.address, "--clock", c.host}
	if p.hostsPipeWire {
		host = append(host, "--host-period", fmt.Sprint(p.periodFrames))
		b.links = [][2]string{
			{"archibald-from-guest:output_FL", "archibald-to-guest:playback_FL"},
			{"archibald-from-guest:output_FR", "archibald-to-guest:playback_FR"},
		}
	} else {
		host = append(host, "--backend", "jack", "--jack-server", p.host.jack())
		b.loop = [][2]string{{"archibald-from-guest:out_1", "archibald-to-guest:in_1"}, {"archibald-from-guest:out_2", "archibald-to-guest:in_2"}}
	}
	command := append([]string{p.bridge}, append(host, c.flags(setting)...)...)
	if from != nil { // its library, too, as on a system that has it installed
		command = append([]string{"env", "LD_LIBRARY_PATH=" + filepath.Join(p.unpacked[from], "client"),
			"PIPEWIRE_MODULE_DIR=" + filepath.Join(p.unpacked[from], "client", "pipewire-0.3"),
			"SPA_PLUGIN_DIR=" + filepath.Join(p.unpacked[from], "client", "spa-0.2")}, command...)
	}
	if err := b.start(p.host, "bridge-host", command[0], command[1:]...); err != nil {
		return nil, err
	}
	guest := []string{"guest", "--jack-server", p.guest.jack(), "--peer", p.host.address, "--clock", c.guest}
	return b, b.start(p.guest, "bridge-guest", p.bridge, append(guest, c.flags(setting)...)...)
}

// followingJackd are the arguments of a jackd that the bridge's guest drives.
func (p *pair) followingJackd() []string {
	return append([]string{"-R", "-P75", "-S", "-d", "netone"},
		strings.Fields(fmt.Sprintf("-r %d -p %d -i 2 -o 2 -I 0 -O 0", p.rateHz, p.periodFrames))...)
}

// ends are what both ends of ours say at one moment.
type ends map[proto.Role]status.Status

// status asks both ends.
func (p *pair) status() (ends, error) {
	all := ends{}
	for role, m := range map[proto.Role]machine{proto.Guest: p.guest, proto.Host: p.host} {
		command, err := m.Command(p.bridge, "status", "--json")
		if err != nil {
			return nil, err
		}
		text, err := command.Output()
		if err != nil {
			return nil, fmt.Errorf("status: %w", err)
		}
		var s status.Status
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, fmt.Errorf("status: %w", err)
		}
		all[role] = s
	}
	return all, nil
}

// dropouts are those that both ends have counted.
func (e ends) dropouts() (sum int) {
	for _, s := range e {
		sum += int(s.Directions.Receive.Total.Dropouts)
	}
	return sum
}

// answeredInTime is the share of the leader's cycles since an earlier moment whose answer
// was there in time; nil when it made none.
func (e ends) answeredInTime(leader proto.Role, since ends) *float64 {
	now, then := e[leader].Directions, since[leader].Directions
	cycles := float64(now.Send.Packets) - float64(then.Send.Packets)
	if cycles <= 0 {
		return nil
	}
	share := max(0, 1-(float64(now.Receive.Unanswered)-float64(then.Receive.Unanswered))/cycles)
	return &share
}

// benchSeconds is how long `archibald-bridge bench` measures after a run.
const benchSeconds = 5

// bench lets `archibald-bridge bench` measure the round trip on the guest's JACK server,
// through whatever bridge is there, and returns the median in frames.
func (p *pair) bench(b *bridge) (float64, error) {
	args := []string{"bench", "--json", "--seconds", fmt.Sprint(benchSeconds), "--jack-server", p.guest.jack(), "--to", b.in[0], "--from", b.out[0]}
	if len(b.processes) == 0 {
		args = append(args[:len(args)-4], "--to", "archibald-bench:in", "--from", "none")
	}
	command, err := p.guest.Command(p.bridge, args...)
	if err != nil {
		return 0, err
	}
	text, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
		}
		return 0, fmt.Errorf("bench: %w", err)
	}
	return benchMedian(text)
}

// benchMedian reads what `archibald-bridge bench --json` prints.
func benchMedian(text []byte) (float64, error) {
	var report struct {
		RoundTripFrames *struct {
			P50 float64 `json:"p50"`
		} `json:"round_trip_frames"`
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	if report.RoundTripFrames == nil {
		return 0, errors.New("bench: nothing was heard")
	}
	return report.RoundTripFrames.P50, nil
}
