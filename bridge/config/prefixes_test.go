package config

import "testing"

func TestPrefixesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"192.168.122.0/24":            "192.168.122.0/24",
		"192.168.122.7/24":            "192.168.122.0/24",
		"10.0.0.7":                    "10.0.0.7/32",
		"10.0.0.7, fd00::/8":          "10.0.0.7/32,fd00::/8",
		"::ffff:10.0.0.7":             "10.0.0.7/32",
		"::ffff:10.0.0.0/104":         "10.0.0.0/8",
		"fe80::1%eth0":                "fe80::1/128",
		"0.0.0.0/0,::/0":              "0.0.0.0/0,::/0",
		"127.0.0.0/8,::1,192.0.2.128": "127.0.0.0/8,::1/128,192.0.2.128/32",
	} {
		var p Prefixes
		if err := p.UnmarshalText([]byte(text)); err != nil || p.String() != want {
			t.Errorf("%q: %q, %v; want %q", text, p, err, want)
		}
	}
	for _, text := range []string{"lan", "10.0.0.0/33", "10.0.0/24", "10.0.0.1:4713", ",", "10.0.0.1,", "10.0.0.1;10.0.0.2", "::ffff:0.0.0.0/80", "-1/0", "10.0.0.0/-1", "fe80::/10%eth0"} {
		var p Prefixes
		if err := p.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for %q", text, p)
		}
	}
}
