package cli

import (
	"io"
	"slices"
	"testing"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

func TestWrongFlagsNameFlagValueAndWhatIsLegal(t *testing.T) {
	const latency = "auto, a time up to 200ms (2ms), or 1 to 9600 frames (96frames)"
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"guest", "--channels", "65"}, `--channels: "65": legal is 1 to 64`},
		{[]string{"guest", "--channels", "0"}, `--channels: "0": legal is 1 to 64`},
		{[]string{"guest", "--channels", "-3"}, `--channels: "-3": legal is 1 to 64`},
		{[]string{"guest", "--channels=two"}, `--channels: "two": legal is 1 to 64`},
		{[]string{"guest", "--channels", "1.5"}, `--channels: "1.5": legal is 1 to 64`},
		{[]string{"guest", "--channels", "99999999999999999999"}, `--channels: "99999999999999999999": legal is 1 to 64`},
		{[]string{"guest", "--channels"}, `--channels: "": legal is 1 to 64`},
		{[]string{"guest", "--channels", "--static"}, `--channels: "--static": legal is 1 to 64`},
		{[]string{"host", "--send-channels", "65"}, `--send-channels: "65": legal is 0 to 64`},
		{[]string{"host", "--receive-channels", "-1"}, `--receive-channels: "-1": legal is 0 to 64`},
		{[]string{"host", "--peer", "tower:99999"}, `--peer: "tower:99999": legal is HOST or HOST:PORT (port 1 to 65535, else 4713)`},
		{[]string{"host", "--peer", "http://tower"}, `--peer: "http://tower": legal is HOST or HOST:PORT (port 1 to 65535, else 4713)`},
		{[]string{"host", "--listen", ":4713"}, `--listen: ":4713": legal is IP-ADDRESS:PORT (port 1 to 65535)`},
		{[]string{"host", "--format", "mp3"}, `--format: "mp3": legal is L16, L24, F32, opus or empty`},
		{[]string{"host", "--format", "opus", "--channels", "3"}, `--format: "opus": legal is opus only with at most 2 channels at 48000 Hz`},
		{[]string{"host", "--format", "opus", "--rate", "44100"}, `--format: "opus": legal is opus only with at most 2 channels at 48000 Hz`},
		{[]string{"host", "--format", "opus", "--ptime", "3ms"}, `--ptime: "3ms": legal is 0s, 2.5ms, 5ms, 10ms or 20ms with format opus`},
		{[]string{"host", "--opus-bitrate", "6000"}, `--opus-bitrate: "6000": legal is 16000 to 510000 bit/s`},
		{[]string{"host", "--rate", "44"}, `--rate: "44": legal is 0, or 8000 to 192000 Hz`},
		{[]string{"host", "--latency", "2"}, `--latency: "2": legal is ` + latency},
		{[]string{"host", "--latency", "-2ms"}, `--latency: "-2ms": legal is ` + latency},
		{[]string{"host", "--latency", "0frames"}, `--latency: "0frames": legal is ` + latency},
		{[]string{"host", "--clock", "push"}, `--clock: "push": legal is auto, free, lead or follow`},
		{[]string{"host", "--clock", "follow", "--guests", "2"}, `--clock: "follow": legal is follow only with guests 1`},
		{[]string{"guest", "--clock", "follow", "--backend", "portaudio"}, `--clock: "follow": legal is follow only with the backend pipewire or jack`},
		{[]string{"guest", "--clock", "lead", "--redundancy-distance", "2"}, `--clock: "lead": legal is lead or follow only with redundancy-distance 0`},
		{[]string{"guest", "--answer-periods", "3"}, `--answer-periods: "3": legal is auto, 1 or 2`},
		{[]string{"host", "--netone-port", "3000"}, `--netone-port: "3000": legal is a port only with the backend jack`},
		{[]string{"host", "--redundancy", "3"}, `--redundancy: "3": legal is 0 to 2`},
		{[]string{"host", "--redundancy", "-1"}, `--redundancy: "-1": legal is 0 to 2`},
		{[]string{"host", "--redundancy-distance", "9"}, `--redundancy-distance: "9": legal is 0 to 8 periods`},
		{[]string{"host", "--cpu-sleep", "never"}, `--cpu-sleep: "never": legal is prevent or allow`},
		{[]string{"guest", "--cpus", "3-2"}, `--cpus: "3-2": legal is empty, or processor numbers 0 to 1023 such as 2,3 or 2-5`},
		{[]string{"host", "--name", "My Lab"}, `--name: "My Lab": legal is at most 32 of a-z, 0-9 and -`},
		{[]string{"host", "--static"}, `--static: "true": legal is true only with a peer and a format, or with sdp-in or sap-receive`},
		{[]string{"host", "--status-listen", "8714"}, `--status-listen: "8714": legal is IP-ADDRESS:PORT (port 1 to 65535) or off`},
		{[]string{"host", "--log-format", "xml"}, `--log-format: "xml": legal is text or json`},
		{[]string{"host", "--wait", "30"}, `--wait: "30": legal is 0 or a time (30s)`},
		{[]string{"host", "--wait", "-1s"}, `--wait: "-1s": legal is 0 or a time (30s)`},
		{[]string{"guest", "--jack-server", ""}, `--jack-server: "": legal is a name that is not empty`},
		{[]string{"host", "--backend", "alsa"}, `--backend: "alsa": legal is pipewire, jack or portaudio`},
		{[]string{"host", "--host-period", "8"}, `--host-period: "8": legal is 0, or 16 to 8192 frames`},
		{[]string{"host", "--backend", "jack", "--host-period", "64"}, `--host-period: "64": legal is only 0 with the backend jack`},
		{[]string{"host", "--backend", "portaudio", "--host-period", "239"}, `--host-period: "239": legal is 0, or at least 240 frames with the backend portaudio`},
		{[]string{"host", "--ptime", "1ms"}, `--ptime: "1ms": legal is a time only with static or format opus`},
		{[]string{"host", "--guests", "2", "--name", "lab"}, `--guests: "2": legal is more than 1 only with the backend pipewire or jack, and without peer, name and static`},
		{[]string{"host", "--backend", "jack", "--from-guest", "source"}, `--from-guest: "source": legal is source only with the backend pipewire`},
		{[]string{"host", "--from-guest", "sink"}, `--from-guest: "sink": legal is stream or source`},
		{[]string{"status", "--address", "tower"}, `--address: "tower": legal is HOST:PORT`},

		{[]string{"guest", "--chanels", "2"}, `unknown flag --chanels, did you mean "--channels"?; see --help`},
		{[]string{"guest", "--host-period", "64"}, `unknown flag --host-period; see --help`},
		{[]string{"host", "--guest-period", "64"}, `unknown flag --guest-period; see --help`},
		{[]string{"guest", "--guest-period", "64"}, `--guest-period: "64": legal is only 0 with the backend jack`},
		{[]string{"guest", "--backend", "pipewire", "--connect", "a:b -> c:d"}, `--connect: "a:b -> c:d": legal is rules only with the backend jack`},
		{[]string{"host", "--connect", "a:b -> c:d"}, `unknown flag --connect; see --help`},
		{[]string{"guest", "--static=maybe"}, `--static: bool value must be true, 1, yes, false, 0 or no but got "maybe"; see --help`},
		{[]string{"guest", "tower"}, `unexpected argument tower; see --help`},
		{[]string{}, `expected one of "guest", "host", "status", "devices", "bench", ...; see --help`},
		{[]string{"gest"}, `unexpected argument gest, did you mean one of "guest", "host"?; see --help`},
		{[]string{"config"}, `expected "check"; see --help`},
		{[]string{"config", "check"}, `expected "<file>"; see --help`},
	} {
		o := program(t, nil, test.args...)
		if o.code == exitFine {
			t.Errorf("%q was accepted", test.args)
			continue
		}
		wantLine(t, o, 2, test.want)
	}
}

func TestEveryKeyIsAFlagOfItsEndAndTheOtherWayRound(t *testing.T) {
	parser, err := newParser(&grammar{}, io.Discard, io.Discard, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	ends := 0
	for _, command := range parser.Model.Children {
		role := proto.Role(command.Name)
		if !slices.Contains(config.Roles, role) {
			continue
		}
		ends++
		var flags, keys []string
		for _, flag := range command.Flags {
			if flag.Name == "config" || flag.Name == "help" {
				continue // about the file and the program, not about the bridge
			}
			flags = append(flags, flag.Name)
			if !flag.IsBool() && flag.PlaceHolder == "" {
				t.Errorf("%s --%s has no placeholder", role, flag.Name)
			}
			if flag.HasDefault || len(flag.Envs) > 0 {
				t.Errorf("%s --%s takes a default or the environment from the parser: it would hide the file", role, flag.Name)
			}
		}
		for _, key := range config.Keys(role) {
			keys = append(keys, key.Name)
		}
		if !slices.Equal(flags, keys) {
			t.Errorf("%s\nflags %q\nkeys  %q", role, flags, keys)
		}
	}
	if ends != len(config.Roles) {
		t.Errorf("%d ends are commands, want %d", ends, len(config.Roles))
	}
}

func TestFlagsReachTheGuest(t *testing.T) {
	o := program(t, nil, "guest", "--peer", "tower", "--channels=4", "--format", "l24", "--latency", "96frames", "--static", "--cpus=3,1",
		"--jack-server", "rt", "--connect", "a:b, c -> d:*", "--connect", "e:* -> f:*", "--status-listen", "off")
	c := o.config
	if o.code != 0 || o.end != "guest" || c.Role != proto.Guest || c.Peer.String() != "tower:4713" || c.Channels != 4 ||
		c.SendChannels != 4 || c.ReceiveChannels != 4 || c.Format != proto.L24 || c.Latency.Frames != 96 || !c.Static ||
		c.JackServer != "rt" || !c.StatusListen.Off() || c.CPUs.String() != "1,3" || c.CPUSleep != config.CPUSleepPrevent {
		t.Errorf("code %d, %s: %+v %s", o.code, o.end, c, o.stderr)
	}
	if !slices.Equal(c.Connect, []string{"a:b, c -> d:*", "e:* -> f:*"}) {
		t.Errorf("rules %q: a port name may hold a comma", c.Connect)
	}
}

func TestFlagsReachTheHost(t *testing.T) {
	o := program(t, nil, "host", "--host-period", "64", "--from-guest", "source")
	if o.code != 0 || o.end != "host" || o.config.Role != proto.Host || o.config.HostPeriod != 64 ||
		o.config.FromGuest != config.FromGuestSource || o.config.StatusListen.String() != "127.0.0.1:8714" {
		t.Errorf("code %d, %s: %+v %s", o.code, o.end, o.config, o.stderr)
	}
}

func TestFlagsReachAHostBesideJACK(t *testing.T) {
	o := program(t, nil, "host", "--backend", "jack", "--jack-server", "rt")
	if o.code != 0 || o.config.Backend != audio.Jack || o.config.JackServer != "rt" {
		t.Errorf("code %d: %+v %s", o.code, o.config, o.stderr)
	}
}

func TestFlagsWinOverTheFileAndTheFileOverDefaults(t *testing.T) {
	path := writeFile(t, "channels = 4\nname = \"file\"\n[guest]\nname = \"table\"\nconnect = [\"a:1 -> b:1\"]\n")
	o := program(t, nil, "guest", "--config", path, "--channels", "2")
	if o.code != 0 || o.config.Channels != 2 || o.config.Name != "table" || len(o.config.Connect) != 1 {
		t.Errorf("code %d: %+v %s", o.code, o.config, o.stderr)
	}
}

func TestWrongFileEndsTheProgram(t *testing.T) {
	path := writeFile(t, "\nchanels = 4\n")
	wantLine(t, program(t, nil, "guest", "--config", path), 2, `bridge.toml:2: unknown key "chanels": did you mean "channels"?`)
	wantLine(t, program(t, nil, "host", "--config=absent"), 2, `--config: open absent: no such file or directory`)
}
