package jack

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/jacktest"
)

// machine is one with these listening sockets, seen by alice, user 1000. Users are bob,
// 1001, and root.
func machine(group string, denied bool, sockets ...string) surroundings {
	names := map[int]string{0: "root", 1000: "alice", 1001: "bob"}
	return surroundings{
		sockets: func() string {
			text := "Num       RefCount Protocol Flags    Type St Inode Path\n"
			for i, socket := range sockets {
				text += fmt.Sprintf("ffff%012d: 00000002 00000000 00010000 0001 01 %d %s\n", i, 100+i, socket)
			}
			return text + "ffff: 00000003 00000000 00000000 0001 03 7 /dev/shm/jack_connected_1000_0\nffff: 00000002 00000000 00010000 0001 01 8\n"
		},
		uid: 1000, group: group,
		owner: func(string) (int, error) { return 1001, nil },
		name:  func(uid int) string { return names[uid] },
		access: func(string) error {
			if denied {
				return fs.ErrPermission
			}
			return nil
		},
	}
}

func TestEveryReasonOfNotGettingInIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		machine surroundings
		want    string
	}{
		"nothing runs": {machine("", false), `JACK server "lab": audio server not running`},
		"programs that are no jackd run": {machine("", false, "/run/user/1000/pipewire-0", "/dev/shm/jackal", "@/dev/shm/x"),
			`JACK server "lab": audio server not running`},
		"others run": {machine("", false, "/dev/shm/jack_default_1001_0", "/dev/shm/jack_studio_1000_0"),
			`JACK server "lab" is not running; running here: "default" of user bob, "studio" of user alice (--jack-server NAME)`},
		"its name is longer": {machine("", false, "/dev/shm/jack_my_lab_1000_0"),
			`JACK server "lab" is not running; running here: "my_lab" of user alice (--jack-server NAME)`},
		"another user's": {machine("", false, "/dev/shm/jack_lab_1001_0"),
			`JACK server "lab" runs as another user, bob, and lets in no client of user alice: run the bridge as bob, or start both with JACK_PROMISCUOUS_SERVER=GROUP, a group they are both in`},
		"another user's, we would be promiscuous": {machine("audio", false, "/dev/shm/jack_lab_1001_0"),
			`JACK server "lab" runs as another user, bob, and lets in no client`},
		"ours, we would be promiscuous": {machine("audio", false, "/dev/shm/jack_lab_1000_0"),
			`JACK server "lab" runs without JACK_PROMISCUOUS_SERVER, and this program has it ("audio")`},
		"promiscuous, and we are not": {machine("", false, "/dev/shm/jack_lab_0"),
			`JACK server "lab" of user bob was started with JACK_PROMISCUOUS_SERVER, and this program was not: give it the same`},
		"promiscuous, and we are not in the group": {machine("audio", true, "/dev/shm/jack_lab_0"),
			`JACK server "lab" of user bob: permission denied for /dev/shm/jack_lab_0`},
		"ours, and may not be entered": {machine("", true, "/dev/shm/jack_lab_1000_0"),
			`JACK server "lab" of user alice: permission denied for /dev/shm/jack_lab_1000_0`},
		"ours, and another fault": {machine("", false, "/dev/shm/jack_lab_1000_0"),
			`JACK server "lab" of user alice runs and cannot be joined: no room in the registry`},
		"jackd1": {machine("", false, "/dev/shm/jack-1000/lab/jack_0"),
			`JACK server "lab" of user alice is jackd1, which clients of jackd2's library cannot join`},
		"many run": {machine("", false, "/dev/shm/jack_a_1000_0", "/dev/shm/jack_b_1000_0", "/dev/shm/jack_c_1000_0", "/dev/shm/jack_d_1000_0", "/dev/shm/jack_e_1000_0"),
			`"d" of user alice (--jack-server NAME)`},
	} {
		err := test.machine.whyAbsent("lab", "no room in the registry")
		if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s\n got %v\nwant %s", name, err, test.want)
		}
		if !errors.Is(err, audio.ErrServerAbsent) {
			t.Errorf("%s: %v is not ErrServerAbsent, which is waited for", name, err)
		}
	}
}

const nobody = 65534 // of Debian

// The real jackd of another user, as every end and the bench meet it.
func TestTheServerOfAnotherUserIsNamed(t *testing.T) {
	jackd := jacktest.StartAs(t, nobody, 256)
	for name, open := range map[string]func(server string) error{
		"an end":    func(server string) error { s, _ := newServer(t, server, nil); _, err := s.Open(stereo); return err },
		"the bench": func(server string) error { _, err := OpenProbe(server, "archibald-bench"); return err },
	} {
		err := open(jackd.Name)
		if want := "runs as another user, nobody, and lets in no client of user root"; err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, audio.ErrServerAbsent) {
			t.Errorf("%s\n got %v\nwant %s", name, err, want)
		}
		err = open("archibald-nowhere")
		if want := fmt.Sprintf("%q of user nobody", jackd.Name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", name, err, want)
		}
	}
}

func TestAPromiscuousServerOfAnotherUserIsNamed(t *testing.T) {
	jackd := jacktest.StartAs(t, nobody, 256, promiscuous+"=nogroup")
	server, core := newServer(t, jackd.Name, nil)
	_, err := server.Open(stereo)
	if want := "of user nobody was started with JACK_PROMISCUOUS_SERVER, and this program was not"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
	t.Setenv(promiscuous, "nogroup")
	open(t, server, stereo)
	runCycles(t, core, 50)
}
