package proto

import (
	"fmt"
	"testing"
)

func TestSSRCIsTheSameForEver(t *testing.T) {
	// A change of these breaks running receivers at the next update.
	for _, c := range []struct {
		name string
		role Role
		want uint32
	}{{"", Guest, 2587220001}, {"", Host, 3838320136}, {"lab", Guest, 2894187941}, {"lab", Host, 1882385038}} {
		if got := SSRC(c.name, c.role); got != c.want {
			t.Errorf("SSRC(%q, %s) = %d, was %d", c.name, c.role, got, c.want)
		}
	}
}

func TestSSRCIsNeverZeroAndRolesDiffer(t *testing.T) {
	seen := map[uint32]string{}
	for i := range 20000 {
		name := fmt.Sprintf("bridge %d", i)
		g, h := SSRC(name, Guest), SSRC(name, Host)
		if g%2 != 1 || h%2 != 0 || h == 0 {
			t.Fatalf("%s: guest %d, host %d", name, g, h)
		}
		seen[g], seen[h] = name, name
	}
	if len(seen) < 39990 {
		t.Errorf("%d different identifiers of 40000", len(seen))
	}
}
