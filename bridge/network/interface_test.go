package network

import (
	"net"
	"testing"
)

func TestInterfacesAreTheSameWithoutNetlink(t *testing.T) {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		t.Fatalf("%d interfaces, %v", len(all), err)
	}
	for _, want := range all {
		got, err := byIoctl(want.Name)
		if err != nil {
			t.Errorf("%s: %v", want.Name, err)
		} else if got.Index != want.Index || got.Name != want.Name || got.Flags != want.Flags {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	for _, name := range []string{"no-such-one", "", "a-name-that-is-far-too-long"} {
		if got, err := byIoctl(name); err == nil {
			t.Errorf("%q: %+v", name, got)
		}
		if got, err := Interface(name); err == nil {
			t.Errorf("%q: %+v", name, got)
		}
	}
}
