package config

import "testing"

func TestAPeersZoneIsReadWithAndWithoutAPort(t *testing.T) {
	for text, want := range map[string]Peer{
		"fe80::2%eth0":          {Host: "fe80::2%eth0", Port: 4713},
		"[fe80::2%eth0]":        {Host: "fe80::2%eth0", Port: 4713},
		"[fe80::2%eth0]:5006":   {Host: "fe80::2%eth0", Port: 5006},
		"[ff12::4713%eth0]:506": {Host: "ff12::4713%eth0", Port: 506},
		"[fd47::2]:5006":        {Host: "fd47::2", Port: 5006},
		"[fd47::2]":             {Host: "fd47::2", Port: 4713},
		"fd47::2":               {Host: "fd47::2", Port: 4713},
	} {
		var p Peer
		if err := p.UnmarshalText([]byte(text)); err != nil || p != want {
			t.Errorf("%s: %+v, %v", text, p, err)
		}
	}
	for _, text := range []string{"fe80::2%eth0]:5006", "[fe80::2%eth0", "[fe80::2%eth0]x", "[[fd47::2]]", "]fd47::2["} {
		var p Peer
		if err := p.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%s is read as %+v", text, p)
		}
	}
}
