package config

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/proto"
)

func TestFlagsWinOverTheFileInTheKeysThatWereSet(t *testing.T) {
	path := write(t, "channels = 4\nname = 'file'\n")
	flags := Config{}
	flags.Name = "flag"
	flags.Channels = 8 // not in Set: the default of an unused flag
	c, err := Source{File: path, Flags: flags, Set: []string{"name"}, ConnectRule: arrowRule}.Load(proto.Guest)
	if err != nil {
		t.Fatal(err)
	}
	if c.Channels != 4 || c.Name != "flag" {
		t.Errorf("channels %d, name %q; want 4 of the file and the flag's name", c.Channels, c.Name)
	}
}

func TestAFlagCanTakeBackWhatTheFileSays(t *testing.T) {
	path := write(t, "static = true\npeer = 'a'\nformat = 'L24'\n")
	c, err := Source{File: path, Set: []string{"static"}, ConnectRule: arrowRule}.Load(proto.Host)
	if err != nil || c.Static {
		t.Errorf("static %v, error %v", c.Static, err)
	}
}

func TestWrongFlagIsNamedAsAFlag(t *testing.T) {
	flags := Config{}
	flags.Channels = 65
	_, err := Source{Flags: flags, Set: []string{"channels"}}.Load(proto.Guest)
	wantError(t, err, `--channels: "65": legal is 1 to 64`)
	var wrong *fault.WrongValue
	if !errors.As(err, &wrong) {
		t.Error("not a *fault.WrongValue")
	}
}

func TestUnknownFlagNameIsRefused(t *testing.T) {
	if _, err := (Source{Set: []string{"volume"}}).Load(proto.Guest); err == nil {
		t.Error("no error")
	}
}

func TestChannelCountsFollowChannels(t *testing.T) {
	c := mustLoad(t, proto.Guest, "channels = 6\nreceive-channels = 1\n")
	if c.SendChannels != 6 || c.ReceiveChannels != 1 {
		t.Errorf("send %d, receive %d; want 6 and 1", c.SendChannels, c.ReceiveChannels)
	}
}

func TestFormatInAnyCase(t *testing.T) {
	if c := mustLoad(t, proto.Guest, "format = 'l24'"); c.Format != proto.L24 {
		t.Errorf("format %q", c.Format)
	}
}

func TestJackServerFollowsTheEnvironmentUnlessSet(t *testing.T) {
	t.Setenv("JACK_DEFAULT_SERVER", "rt")
	if c := Default(proto.Guest); c.JackServer != "rt" {
		t.Errorf("JACK server %q, want that of the environment", c.JackServer)
	}
	flags := Config{}
	flags.JackServer = "other"
	c, err := Source{Flags: flags, Set: []string{"jack-server"}}.Load(proto.Guest)
	if err != nil || c.JackServer != "other" {
		t.Errorf("JACK server %q, error %v", c.JackServer, err)
	}
}

func TestEndsHaveDifferentStatusPorts(t *testing.T) {
	if guest, host := Default(proto.Guest).StatusListen, Default(proto.Host).StatusListen; guest == host {
		t.Errorf("both %v: guest and host could not run on one machine", guest)
	}
}

func TestEverythingAtOnce(t *testing.T) {
	c := mustLoad(t, proto.Guest, `
peer = "tower:5000"
listen = "[::]:4713"
channels = 1
send-channels = 3
receive-channels = 8
format = "L16"
rate = 96000
latency = "1.5ms"
clock = "free"
cpu-sleep = "allow"
cpus = "2,3"
name = "lab-2"
static = true
status-listen = "off"
log-format = "json"
wait = "1m30s"
[guest]
jack-server = "rt"
connect = ["a:* -> b:in_*"]
`)
	if c.Peer != (Peer{"tower", 5000}) || c.Listen.String() != "[::]:4713" || c.SendChannels != 3 ||
		c.ReceiveChannels != 8 || c.Format != proto.L16 || c.Rate != 96000 ||
		c.Latency != (Latency{Duration: 1500 * time.Microsecond}) || c.Clock != proto.ClockFree || c.Name != "lab-2" ||
		!c.Static || !c.StatusListen.Off() || c.LogFormat != LogJSON || c.Wait.Duration != 90*time.Second ||
		c.CPUSleep != CPUSleepAllow || c.CPUs.String() != "2,3" || c.JackServer != "rt" || len(c.Connect) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestValuesAtTheEdges(t *testing.T) {
	for _, test := range []struct {
		key  string
		set  func(*Config)
		good bool
	}{
		{"channels", func(c *Config) { c.Channels = 8 }, true},
		{"channels", func(c *Config) { c.Channels = 65 }, false},
		{"channels", func(c *Config) { c.Channels = -1 }, false},
		{"send-channels", func(c *Config) { c.SendChannels = 65 }, false},
		{"receive-channels", func(c *Config) { c.ReceiveChannels = -1 }, false},
		{"rate", func(c *Config) { c.Rate = 8000 }, true},
		{"rate", func(c *Config) { c.Rate = 7999 }, false},
		{"rate", func(c *Config) { c.Rate = 192001 }, false},
		{"rate", func(c *Config) { c.Rate = -48000 }, false},
		{"latency", func(c *Config) { c.Latency = Latency{} }, false},
		{"clock", func(c *Config) { c.Clock = "" }, false},
		{"cpu-sleep", func(c *Config) { c.CPUSleep = "" }, false},
		{"name", func(c *Config) { c.Name = "a23456789-123456789-123456789-12" }, true},
		{"name", func(c *Config) { c.Name = "a23456789-123456789-123456789-123" }, false},
		{"name", func(c *Config) { c.Name = "Lab" }, false},
		{"name", func(c *Config) { c.Name = "a\n" }, false},
		{"listen", func(c *Config) { c.Listen = Socket{} }, false},
		{"log-format", func(c *Config) { c.LogFormat = "xml" }, false},
		{"jack-server", func(c *Config) { c.JackServer = "" }, false},
		{"backend", func(c *Config) { c.Backend = audio.Jack }, true},
		{"backend", func(c *Config) { c.Backend = audio.PortAudio }, true},
		{"backend", func(c *Config) { c.Backend = "alsa" }, false},
		{"output-device", func(c *Config) { c.Backend, c.OutputDevice = audio.PortAudio, "3" }, true},
		{"output-device", func(c *Config) { c.OutputDevice = "3" }, false},
		{"input-device", func(c *Config) { c.Backend, c.InputDevice = audio.PortAudio, "none" }, true},
		{"input-device", func(c *Config) { c.Backend, c.InputDevice = audio.Jack, "none" }, false},
		{"host-period", func(c *Config) { c.Backend, c.HostPeriod = audio.PortAudio, 240 }, true},
		{"host-period", func(c *Config) { c.Backend, c.HostPeriod = audio.PortAudio, 239 }, false},
		{"host-period", func(c *Config) { c.Backend, c.HostPeriod = audio.PortAudio, 8193 }, false},
		{"host-period", func(c *Config) { c.Backend, c.HostPeriod = audio.Jack, 64 }, false},
		{"from-guest", func(c *Config) { c.Backend, c.FromGuest = audio.Jack, FromGuestSource }, false},
		{"host-period", func(c *Config) { c.HostPeriod = 16 }, true},
		{"host-period", func(c *Config) { c.HostPeriod = 8192 }, true},
		{"host-period", func(c *Config) { c.HostPeriod = 15 }, false},
		{"host-period", func(c *Config) { c.HostPeriod = 8193 }, false},
		{"from-guest", func(c *Config) { c.FromGuest = "sink" }, false},
		{"channel-map", func(c *Config) { mapped(c, 2, 2, "FL", "FR") }, true},
		{"channel-map", func(c *Config) { mapped(c, 2, 2, "FL") }, false},
		{"channel-map", func(c *Config) { mapped(c, 2, 1, "FL", "FR") }, false},
		{"channel-map", func(c *Config) { mapped(c, 1, 2, "FL", "FR") }, false},
		{"channel-map", func(c *Config) { mapped(c, 2, 2, "FL", "FR"); c.Backend = audio.Jack }, false},
		{"connect", func(c *Config) { c.Backend, c.Connect = audio.Jack, []string{"nowhere"} }, false},
		{"connect", func(c *Config) { c.Backend, c.Connect = audio.Jack, []string{"a:b -> c:d"} }, true},
		{"connect", func(c *Config) { c.Backend, c.Connect = audio.PipeWire, []string{"a:b -> c:d"} }, false},
		{"guests", func(c *Config) { c.Backend, c.Guests = audio.Jack, 2 }, true},
		{"guests", func(c *Config) { c.Backend, c.Guests = audio.PortAudio, 2 }, false},
	} {
		c := Default(proto.Host)
		test.set(&c)
		wrong := c.wrong(arrowRule)
		if test.good {
			if wrong != nil {
				t.Errorf("%s: %v", test.key, wrong)
			}
			continue
		}
		if wrong == nil || wrong.Where != test.key {
			t.Errorf("error %v; want one about %s", wrong, test.key)
		}
	}
}

func TestDefaultsAreLegal(t *testing.T) {
	for _, role := range Roles {
		if wrong := Default(role).wrong(arrowRule); wrong != nil {
			t.Errorf("%s: %v", role, wrong)
		}
	}
}

func TestAPeerThatNothingCanBeSentToIsRefused(t *testing.T) {
	const plain = "\nstatic = true\nformat = 'L24'"
	for _, c := range []struct{ peer, more, want string }{
		{"fe80::1", "", "fe80::1%eth0"},
		{"[FE80::1]:4800", "", "fe80::1%eth0"},
		{"fe80::1", plain, "fe80::1%eth0"},
		{"ff02::1", plain, "ff02::1%eth0"},
		{"ff02::1", plain + "\nmulticast-interface = 'eth0'", ""},
		{"ff15::1", plain, ""},
		{"239.69.1.2", "", "with static only"},
		{"ff15::1", "", "with static only"},
		{"239.69.1.2", plain, ""},
		{"fe80::1%eth0", "", ""},
		{"169.254.1.1", "", ""}, // of IPv4 the routes say the interface
		{"::ffff:192.168.122.1", "", ""},
	} {
		_, err := load(t, proto.Guest, "peer = '"+c.peer+"'"+c.more)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "bridge.toml:1: peer: ")) {
			t.Errorf("%s%s: %v", c.peer, c.more, err)
		}
	}
}

func TestListenFollowsAPeerThatIsAnIPv6Address(t *testing.T) {
	for _, c := range []struct {
		peer, listen string // "": not given
		want         string // what is listened on, or a part of the error
	}{
		{"192.168.122.1", "", "0.0.0.0:4713"},
		{"fd00::1", "", "[::]:4713"},
		{"fe80::1%eth0", "", "[::]:4713"},
		{"::ffff:10.0.0.1", "", "0.0.0.0:4713"},
		{"bridgehost", "", "0.0.0.0:4713"},
		{"fd00::1", "[fd00::2]:4713", "[fd00::2]:4713"},
		{"192.168.122.1", "[::]:4800", "[::]:4800"},
		{"bridgehost", "[fd00::2]:4713", "[fd00::2]:4713"},
		{"fd00::1", "0.0.0.0:4713", "listen on [::]:4713"},
		{"fe80::1%eth0", "192.168.122.2:4713", "listen on [::]:4713"},
		{"192.168.122.1", "[fd00::2]:4800", "listen on [::]:4800"},
	} {
		flags, set := Config{}, []string{"peer"}
		if err := flags.Peer.UnmarshalText([]byte(c.peer)); err != nil {
			t.Fatal(err)
		}
		if c.listen != "" {
			flags.Listen, set = Socket{netip.MustParseAddrPort(c.listen)}, append(set, "listen")
		}
		loaded, err := Source{Flags: flags, Set: set}.Load(proto.Guest)
		if got := loaded.Listen.String(); err == nil && got != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("peer %s, listen %q: %s, %v", c.peer, c.listen, got, err)
		}
	}
}

func TestAnEnvironmentThatIsNotLegalIsNoDefault(t *testing.T) {
	t.Setenv("JACK_DEFAULT_SERVER", "two\nlines")
	if c := Default(proto.Guest); c.JackServer != "default" {
		t.Errorf("JACK server %q, want the usual one", c.JackServer)
	}
}

func TestAJACKFollowerIsDrivenThroughNetonesOwnPortUnlessAnotherIsGiven(t *testing.T) {
	for text, want := range map[string]int{
		"clock = 'follow'\n": netonePort, "clock = 'follow'\nnetone-port = 3001\n": 3001,
		"clock = 'auto'\n": 0, "clock = 'lead'\n": 0, "netone-port = 3002\n": 3002,
		"clock = 'follow'\nbackend = 'pipewire'\n": 0,
	} {
		if c := mustLoad(t, proto.Guest, text); c.NetonePort != want {
			t.Errorf("%q: port %d, want %d", text, c.NetonePort, want)
		}
	}
}

func TestOneDriverIsNotForSeveralGuests(t *testing.T) {
	_, err := load(t, proto.Host, "[host]\nbackend = 'jack'\nguests = 2\nnetone-port = 3000\n")
	wantError(t, err, `bridge.toml:4: netone-port: "3000": legal is a port only with guests 1`)
}

func TestAnAnswersPeriodsAreANumberOrFoundOut(t *testing.T) {
	for text, want := range map[string]int{"": 0, "answer-periods = 'auto'\n": 0, "answer-periods = 1\n": 1, "answer-periods = '2'\n": 2} {
		if got := mustLoad(t, proto.Host, text).Answers(); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
