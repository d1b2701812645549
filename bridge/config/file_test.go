package config

import (
	"strings"
	"testing"

	"archibald-bridge/proto"
)

func TestTablesWinOverTheTopLevelForTheirEndOnly(t *testing.T) {
	const text = `
channels = 4
name = "both"
[guest]
channels = 2
jack-server = "rt"
[host]
name = "tower"
host-period = 64
`
	guest := mustLoad(t, proto.Guest, text)
	if guest.Channels != 2 || guest.Name != "both" || guest.JackServer != "rt" || guest.HostPeriod != 0 {
		t.Errorf("guest: %+v", guest)
	}
	host := mustLoad(t, proto.Host, text)
	if host.Channels != 4 || host.Name != "tower" || host.HostPeriod != 64 || host.JackServer != "default" {
		t.Errorf("host: %+v", host)
	}
}

func TestTablesWinWhereverTheyStand(t *testing.T) {
	if c := mustLoad(t, proto.Guest, "guest.channels = 3\nchannels = 5\n"); c.Channels != 3 {
		t.Errorf("channels %d, want the guest's 3", c.Channels)
	}
}

func TestEmptyFileIsTheDefault(t *testing.T) {
	if c := mustLoad(t, proto.Host, "# nothing\n"); c.Channels != 2 || c.StatusListen.String() != "127.0.0.1:8714" {
		t.Errorf("%+v", c)
	}
}

func TestMistakesInAFileNameLineKeyAndWhatIsMeant(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"mistyped key", "\nchanels = 2", `bridge.toml:2: unknown key "chanels": did you mean "channels"?`},
		{"mistyped key in a table", "[guest]\n\njackserver = 'a'", `bridge.toml:3: unknown key "guest.jackserver": did you mean "jack-server"?`},
		{"key far from any", "volume = 11", `bridge.toml:1: unknown key "volume"`},
		{"wrong case", "Channels = 2", `bridge.toml:1: unknown key "Channels": did you mean "channels"?`},
		{"mistyped table", "[gues]\nname = 'a'", `bridge.toml:1: unknown key "gues": did you mean "guest"?`},
		{"unknown table, known key", "other.channels = 2", `bridge.toml:1: unknown table "other": legal are guest and host`},
		{"table in the wrong case", "[Guest]\nchannels = 2", `bridge.toml:2: unknown table "Guest": legal are guest and host`},
		{"table below a table", "[guest.deep]\nchannels = 2", `bridge.toml:1: unknown key "guest.deep"`},
		{"guest's key at the top", "connect = []", `bridge.toml:1: key "connect" belongs in the table [guest]`},
		{"host's key for the guest", "[guest]\nhost-period = 64", `bridge.toml:2: key "host-period" belongs in the table [host]`},
		{"mistake in the other end's table", "[host]\nhost-periot = 64", `bridge.toml:2: unknown key "host.host-periot": did you mean "host-period"?`},
		{"set twice", "channels = 1\nchannels = 2", `bridge.toml:2: key channels is already defined`},
		{"not TOML", "channels = [", `bridge.toml:1: array is incomplete`},
		{"table as a value", "guest = 3", `bridge.toml: guest and host are tables: write [guest] or [host] on a line of its own`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(t, proto.Guest, test.text)
			wantError(t, err, test.want)
		})
	}
}

func TestWrongValuesInAFileNameLineKeyValueAndWhatIsLegal(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"out of range", "\nchannels = 65", `bridge.toml:2: channels: "65": legal is 1 to 64`},
		{"zero", "channels = 0", `bridge.toml:1: channels: "0": legal is 1 to 64`},
		{"a word for a number", "channels = 'two'", `bridge.toml:1: channels: "two": legal is 1 to 64`},
		{"a fraction for a number", "channels = 1.5", `bridge.toml:1: channels: "1.5": legal is 1 to 64`},
		{"a number for text", "latency = 2", `bridge.toml:1: latency: "2": legal is auto, a time up to 200ms (2ms), or 1 to 9600 frames (96frames)`},
		{"a number for a name", "name = 5", `bridge.toml:1: name: "5": legal is at most 32 of a-z, 0-9 and -`},
		{"a word for a truth", "static = 'yes'", `bridge.toml:1: static: "yes": legal is true or false`},
		{"in the end's table", "[guest]\nclock = 'push'", `bridge.toml:2: clock: "push": legal is auto, free, lead or follow`},
		{"text for a list", "[guest]\nconnect = 'a -> b'", `bridge.toml:2: connect: "a -> b": legal is 'CLIENT:PORT -> CLIENT:PORT', where * stands for anything`},
		{"a rule that is none", "[guest]\nconnect = ['a -> b', 'c d']", `bridge.toml:2: connect: "c d": legal is 'CLIENT:PORT -> CLIENT:PORT', where * stands for anything (no ->)`},
		{"static without peer", "static = true\nformat = 'L16'", `bridge.toml:1: static: "true": legal is true only with a peer and a format, or with sdp-in or sap-receive`},
		{"static without format", "static = true\npeer = 'a'", `bridge.toml:1: static: "true": legal is true only with a peer and a format, or with sdp-in or sap-receive`},
		{"encoding of a later version", "format = 'flac'", `bridge.toml:1: format: "flac": legal is L16, L24, F32, opus or empty`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(t, proto.Guest, test.text)
			wantError(t, err, test.want)
		})
	}
}

func TestFileThatIsNotThere(t *testing.T) {
	_, err := Source{File: missingFile(t)}.Load(proto.Guest)
	if err == nil || !strings.HasPrefix(err.Error(), "--config: ") || !strings.Contains(err.Error(), "absent.toml") {
		t.Errorf("error %v: want one naming --config and the file", err)
	}
}

func TestCheckLooksAtTheEndsAFileIsFor(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"both ends, good", "[guest]\nchannels = 1\n[host]\nchannels = 8", ""},
		{"both ends, the host's is wrong", "[guest]\nchannels = 1\n[host]\nchannels = 65", `bridge.toml:4: channels: "65": legal is 1 to 64`},
		{"no table: both ends", "static = true", `bridge.toml:1: static: "true": legal is true only with a peer and a format, or with sdp-in or sap-receive`},
		{"a guest's file", "static = true\nformat = 'L24'\n[guest]\npeer = 'tower'", ""},
		{"a host's file", "static = true\nformat = 'L24'\n[host]\npeer = 'vm'", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := Check(write(t, test.text), arrowRule)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, test.want)
		})
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add([]byte(Example))
	f.Add([]byte("guest = 3"))
	f.Add([]byte("[guest.deep]\nx = 1"))
	f.Add([]byte("a.b.c = {d = 1}\n[[host]]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := parseFile("f", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("the error does not begin with the file: %v", err)
			}
			return
		}
		c := Default(proto.Guest)
		if err := parsed.apply(&c, map[string]string{}); err == nil && c.Role != proto.Guest {
			t.Error("the file changed which end this is")
		}
	})
}

func TestAFileWithoutAnEndIsRefused(t *testing.T) {
	err := Check("/dev/zero", arrowRule)
	if err == nil || err.Error() != "/dev/zero: legal is a file of at most 1048576 bytes" {
		t.Error(err)
	}
}
