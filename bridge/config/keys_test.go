package config

import (
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/proto"
)

// oneLine joins the comment lines of the example, so that a sentence can be
// found however it is broken.
func oneLine(toml string) string {
	return regexp.MustCompile(`\s*\n#?\s*`).ReplaceAllString(toml, " ")
}

func TestExampleIsTheDefaultOfBothEnds(t *testing.T) {
	for _, role := range Roles {
		got := mustLoad(t, role, Example)
		want := Default(role)
		want.complete()
		got.Connect = nil // empty in the file, nil in the default
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v", role, got, want)
		}
	}
}

func TestExampleHasEveryKeyOfBothEndsAndSaysWhatIsLegal(t *testing.T) {
	f, err := parseFile("example.toml", []byte(Example))
	if err != nil {
		t.Fatal(err)
	}
	prose := oneLine(Example)
	for _, role := range Roles {
		for _, key := range Keys(role) {
			found := 0
			for _, e := range f.entries {
				if e.key.Name == key.Name && (e.table == "" || e.table == string(role)) {
					found++
				}
			}
			if found != 1 {
				t.Errorf("%s: key %s is set %d times in the example, want once", role, key.Name, found)
			}
			if !strings.Contains(prose, "Legal: "+key.Legal()+".") {
				t.Errorf("key %s: the example does not say %q", key.Name, key.Legal())
			}
		}
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	for _, group := range Groups {
		for _, key := range group.Keys {
			legal := key.Legal()
			if key.Help == "" || key.Domain.String() == "" || group.Title == "" {
				t.Errorf("key %s: help %q, legal %q, group %q", key.Name, key.Help, legal, group.Title)
			}
			if !strings.HasSuffix(key.Help, ".") || key.More != "" && !strings.HasSuffix(key.More, ".") || strings.HasSuffix(legal, ".") {
				t.Errorf("key %s: help is sentences, legal is part of one: %q, %q, %q", key.Name, key.Help, key.More, legal)
			}
		}
	}
}

func TestEveryKeyHasOneFieldOfItsType(t *testing.T) {
	declared := map[string]bool{}
	for _, group := range Groups {
		for _, key := range group.Keys {
			if declared[key.Name] || fields[key.Name] == nil {
				t.Errorf("key %s is declared twice, or has no field", key.Name)
				continue
			}
			declared[key.Name] = true
			want := map[reflect.Kind]Type{reflect.Bool: Bool, reflect.Int: Int, reflect.Slice: List}[key.new().Kind()]
			if want == "" && (key.Type == Text || key.Type == Choice) {
				want = key.Type
			}
			if key.Type != want {
				t.Errorf("key %s is declared as %s, its field is a %s", key.Name, key.Type, key.new().Type())
			}
		}
	}
	if len(declared) != len(fields) {
		t.Errorf("%d keys for %d fields", len(declared), len(fields))
	}
}

func TestAnEndHasItsOwnKeysAndThoseOfBoth(t *testing.T) {
	for _, role := range Roles {
		for _, key := range Keys(role) {
			if key.Only == role.Other() {
				t.Errorf("the %s has the other end's key %s", role, key.Name)
			}
		}
	}
	if both, guest, host := len(Keys("")), len(Keys(proto.Guest)), len(Keys(proto.Host)); both == 0 || guest <= both || guest+host-both != len(fields) {
		t.Errorf("%d keys of both ends, %d of the guest, %d of the host, %d in all", both, guest, host, len(fields))
	}
}

// Each condition is broken by one configuration, which breaks no other.
func TestEveryConditionIsBrokenByItsKeyAlone(t *testing.T) {
	broken := map[string][]func(*Config){
		"format":        {func(c *Config) { c.Format, c.Channels = proto.Opus, 3 }},
		"static":        {func(c *Config) { c.Static = true }},
		"sdp-out":       {func(c *Config) { c.SDPOut = "out.sdp" }},
		"sap-announce":  {func(c *Config) { c.SAPAnnounce = true }},
		"sap-receive":   {func(c *Config) { c.SAPReceive, c.SDPIn, c.Incoming = "desk", "in.sdp", &proto.Description{} }},
		"ptime":         {func(c *Config) { c.Format, c.Ptime.Duration = proto.Opus, maxPtime-1 }, func(c *Config) { c.Ptime.Duration = maxPtime }},
		"output-device": {func(c *Config) { c.OutputDevice = "3" }},
		"input-device":  {func(c *Config) { c.Backend, c.InputDevice = audio.Jack, "3" }},
		"host-period": {
			func(c *Config) { c.Backend, c.HostPeriod = audio.Jack, 64 },
			func(c *Config) { c.Backend, c.HostPeriod = audio.PortAudio, 239 },
		},
		"guest-period": {
			func(c *Config) { c.Backend, c.GuestPeriod = audio.Jack, 64 },
			func(c *Config) { c.Backend, c.GuestPeriod = audio.PortAudio, 239 },
		},
		"clock": {
			func(c *Config) {
				c.Clock, c.Static, c.Peer, c.Format = proto.ClockLead, true, Peer{"a", 4713}, proto.L24
			},
			func(c *Config) { c.Clock, c.Format = proto.ClockLead, proto.Opus },
			func(c *Config) { c.Clock, c.RedundancyDistance = proto.ClockLead, 1 },
			func(c *Config) { c.Clock, c.Backend = proto.ClockFollow, audio.PortAudio },
			func(c *Config) { c.Clock, c.Guests = proto.ClockFollow, 2 },
		},
		"netone-port": {
			func(c *Config) { c.NetonePort = 3000 },
			func(c *Config) { c.Backend, c.NetonePort, c.Guests = audio.Jack, 3000, 2 },
		},
		"connect":     {func(c *Config) { c.Backend, c.Connect = audio.PipeWire, []string{"a:b -> c:d"} }},
		"channel-map": {func(c *Config) { c.ChannelMap.Positions = []string{"FL"} }},
		"from-guest":  {func(c *Config) { c.Backend, c.FromGuest = audio.Jack, FromGuestSource }},
		"guests": {
			func(c *Config) { c.Guests, c.Name = 2, "lab" },
			func(c *Config) { c.Guests, c.Listen = 2, Socket{netip.MustParseAddrPort("0.0.0.0:65535")} },
		},
		"peer": {
			func(c *Config) {
				c.Peer, c.Listen = Peer{"fe80::1", 4713}, Socket{netip.MustParseAddrPort("[::]:4713")}
			},
			func(c *Config) { c.Peer = Peer{"239.69.1.2", 4713} },
			func(c *Config) { c.Peer = Peer{"fd00::1", 4713} },
		},
	}
	for _, rule := range rules {
		if len(broken[rule.key]) == 0 {
			t.Errorf("%s: legal is %s: nothing here breaks it", rule.key, rule.legal)
			continue
		}
		c := Default(proto.Host)
		broken[rule.key][0](&c)
		broken[rule.key] = broken[rule.key][1:]
		c.complete()
		for _, other := range rules {
			if other.holds(c) == (other.key == rule.key && other.legal == rule.legal) {
				t.Errorf("%s: legal is %s: %s, which says %q, is %v", rule.key, rule.legal, other.key, other.legal, other.holds(c))
			}
		}
		if wrong := c.wrong(arrowRule); wrong == nil || wrong.Where != rule.key || !strings.HasPrefix(wrong.Legal, rule.legal) {
			t.Errorf("%s: legal is %s: %v", rule.key, rule.legal, wrong)
		}
	}
}
