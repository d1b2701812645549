package endtoend

import (
	"bytes"
	"fmt"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/stack"
)

// StartGuestServer starts the guest's audio server.
func (r *Rig) StartGuestServer() error {
	if !r.Config.GuestOnPipeWire {
		return r.StartJackd()
	}
	if _, err := r.vm.StartPipeWireAt(r.Config.PeriodFrames, r.Config.RateHz); err != nil {
		return err
	}
	_, err := r.vm.StartWirePlumber()
	return err
}

// StartHostServer starts the host's audio server.
func (r *Rig) StartHostServer() (err error) {
	if !r.Config.HostOnJACK {
		return r.StartPipeWire()
	}
	r.HostJackd, err = r.startJackd(proto.Host, r.Config.HostRateHz)
	return err
}

// StartJackd starts the guest's JACK server.
func (r *Rig) StartJackd() (err error) {
	r.Jackd, err = r.startJackd(proto.Guest, r.Config.RateHz)
	return err
}

func (r *Rig) startJackd(role proto.Role, rateHz int) (*stack.Jackd, error) {
	if r.Config.Netone != role {
		return r.Stack.StartJackd(string(role), r.Config.PeriodFrames, rateHz)
	}
	return r.StartJackdNetone(string(role), r.netonePort, r.Config.PeriodFrames, rateHz)
}

// StartPipeWire starts the host's PipeWire with its session manager.
func (r *Rig) StartPipeWire() (err error) {
	if r.PipeWire, err = r.StartPipeWireAt(r.Config.PeriodFrames, r.Config.HostRateHz); err != nil {
		return err
	}
	r.WirePlumber, err = r.StartWirePlumber()
	return err
}

// beside is where an end's server and the programs of its graph run.
func (r *Rig) beside(role proto.Role) *stack.Stack {
	if role == proto.Guest && r.vm != nil {
		return r.vm
	}
	return r.Stack
}

// jackServer is the name of an end's JACK server; "": it is on PipeWire.
func (r *Rig) jackServer(role proto.Role) string {
	onPipeWire := r.Config.GuestOnPipeWire
	if role == proto.Host {
		onPipeWire = !r.Config.HostOnJACK
	}
	if onPipeWire {
		return ""
	}
	return stack.JackServerName(string(role))
}

// server are the flags that lead an end to its server.
func (r *Rig) server(role proto.Role) []string {
	name := r.jackServer(role)
	if name == "" {
		return []string{"--backend", "pipewire", fmt.Sprintf("--%s-period", role), fmt.Sprint(r.Config.PeriodFrames)}
	}
	flags := []string{"--backend", "jack", "--jack-server", name}
	if role == proto.Guest {
		flags = append(flags, "--connect", "SuperCollider:out_* -> archibald-to-host:in_*")
	}
	if role == r.Config.Netone {
		flags = append(flags, "--netone-port", fmt.Sprint(r.netonePort))
	}
	return flags
}

// ports are those of the first channel of an end's nodes: what the peer's sound comes out of, and
// what goes to the peer.
func (r *Rig) ports(role proto.Role) (out, in string) {
	out, in = fmt.Sprintf("archibald-from-%s:", role.Other()), fmt.Sprintf("archibald-to-%s:", role.Other())
	switch {
	case r.jackServer(role) != "":
		return out + "out_1", in + "in_1"
	case role == proto.Guest: // a source, as a microphone
		return out + "capture_FL", in + "playback_FL"
	default:
		return out + "output_FL", in + "playback_FL"
	}
}

// SetPipeWire makes an end's PipeWire keep a setting, as "clock.force-quantum" or
// "clock.force-rate"; 0 lets go of it.
func (r *Rig) SetPipeWire(role proto.Role, setting string, value int) error {
	command, err := r.beside(role).Command("pw-metadata", "-n", "settings", "0", setting, fmt.Sprint(value))
	if err != nil {
		return err
	}
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("pw-metadata %s %d: %w: %s", setting, value, err, bytes.TrimSpace(out))
	}
	return nil
}
