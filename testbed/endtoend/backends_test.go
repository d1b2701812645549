package endtoend

import (
	"fmt"
	"testing"
	"time"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/probe"
)

func TestSoundCrossesBetweenAGuestOnPipeWireAndAHostOnJACK(t *testing.T) {
	unbroken(t, Config{PeriodFrames: 256, GuestOnPipeWire: true, HostOnJACK: true, Common: []string{"--latency", "100ms"}}, onEachOthersServers)
}

// onEachOthersServers runs the guest where hosts mostly are, and the host where guests are.
func onEachOthersServers(t *testing.T, r *Rig) (faults []string, serverFailures int) {
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	before := r.xruns(t)
	inGuest, err := probe.Start(r.vm, probe.Config{
		Binary: r.probe, Name: "guest-probe", PeriodFrames: r.Config.PeriodFrames, Inputs: 2, Duration: 6 * time.Second,
		Outputs: []probe.Signal{probe.Tone(guestHz, toneDBFS), probe.Tone(guestHz+100, toneDBFS)},
	})
	if err != nil {
		t.Fatal(err)
	}
	// The guest's nodes: a sink to play to the host, and a source to record the host from.
	for i, side := range []string{"FL", "FR"} {
		for _, link := range [][2]string{
			{fmt.Sprintf("guest-probe:out_%d", i+1), "archibald-to-host:playback_" + side},
			{"archibald-from-host:capture_" + side, fmt.Sprintf("guest-probe:in_%d", i+1)},
		} {
			if err := r.vm.PipeWireConnect(link[0], link[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	onHost, err := probe.Start(r.Stack, probe.Config{
		Binary: r.probe, Name: "host-probe", JackServer: r.HostJackd.Server, Inputs: 2, Duration: 4 * time.Second,
		Outputs: []probe.Signal{probe.Tone(hostHz, toneDBFS), probe.Tone(hostHz+100, toneDBFS)},
		Connect: [][2]string{
			{"host-probe:out_1", "archibald-to-guest:in_1"}, {"host-probe:out_2", "archibald-to-guest:in_2"},
			{"archibald-from-guest:out_1", "host-probe:in_1"}, {"archibald-from-guest:out_2", "host-probe:in_2"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	host, err := onHost.Finish()
	if err != nil {
		t.Fatal(err)
	}
	guest, err := inGuest.FinishNow()
	if err != nil {
		t.Fatal(err)
	}
	serverFailures = r.xruns(t) - before
	for i := range 2 {
		faults = append(faults, broken(t, "the host", host.Sound.Channels[i], guestHz+100*float64(i))...)
		faults = append(faults, broken(t, "the guest", guest.Sound.Channels[i], hostHz+100*float64(i))...)
	}
	for role, want := range map[proto.Role]string{proto.Guest: "PipeWire", proto.Host: "JACK server " + r.HostJackd.Server} {
		if s, err := r.Status(role); err != nil || s.Audio.Server != want {
			t.Errorf("the %s is on %q, want %q (%v)", role, s.Audio.Server, want, err)
		}
	}
	return faults, serverFailures
}
