package network

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

var somewhere = netip.MustParseAddr("239.255.47.13")

func TestTheKernelSaysTheWay(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]string{"127.0.0.9": "127.0.0.1", "::1": "::1"} {
		way, err := WayTo(netip.MustParseAddr(to), "")
		if err != nil || way.Index != lo.Index || way.Name != "lo" || way.Source != netip.MustParseAddr(want) || way.By() != "interface lo" {
			t.Errorf("%s: %+v, %v", to, way, err)
		}
	}
	way, err := SourceTowards(somewhere, "lo")
	if err != nil || way.Index != lo.Index || !way.Source.IsValid() || way.Source.IsMulticast() {
		t.Errorf("%+v, %v", way, err)
	}
	if source, err := sourceTowards(netip.MustParseAddr("127.0.0.9")); err != nil || source != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("without netlink: %v, %v", source, err)
	}
}

func TestTheRouteToEverywhereWasNotChosenForGroups(t *testing.T) {
	for to, want := range map[string]bool{"127.0.0.9": true, "203.0.113.9": false, "::1": false, "ff15::7": false} {
		if got := RouteChosen(netip.MustParseAddr(to)); got != want {
			t.Errorf("%s: %v", to, got)
		}
	}
}

func TestWhatIsNotThereIsNamedAndMayCome(t *testing.T) {
	_, err := WayTo(somewhere, "absent0")
	if !IsAbsent(err) || err.Error() != "interface absent0 is not there" {
		t.Errorf("%v", err)
	}
	if err := HasAddress(netip.MustParseAddr("192.0.2.77")); !IsAbsent(err) || !strings.Contains(err.Error(), "192.0.2.77") {
		t.Errorf("%v", err)
	}
	for address, want := range map[string]string{
		"fe80::77%absent0": "interface absent0 is not there", "fe80::77%lo": "this machine does not have the address fe80::77%lo",
	} {
		if err := HasAddress(netip.MustParseAddr(address)); !IsAbsent(err) || err.Error() != want {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	for _, here := range []string{"127.0.0.1", "0.0.0.0", "::", "::1", "239.1.2.3"} {
		if err := HasAddress(netip.MustParseAddr(here)); err != nil {
			t.Errorf("%s: %v", here, err)
		}
	}
}

func TestAnInterfaceOfNoUseSaysWhy(t *testing.T) {
	for flags, want := range map[net.Flags]string{
		0:                            "interface gw is down",
		net.FlagUp:                   "interface gw has no link",
		net.FlagUp | net.FlagRunning: "",
	} {
		err := usable(&net.Interface{Name: "gw", Flags: flags})
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%v: %v, want %q", flags, err, want)
		}
	}
}

func TestAnAnswerOfTheKernelThatIsCutOffIsAnError(t *testing.T) {
	for size := range 40 {
		if way, err := parseRoute(make([]byte, size)); err == nil {
			t.Errorf("%d bytes: %+v", size, way)
		}
	}
}

func FuzzTheKernelsAnswer(f *testing.F) {
	f.Add(routeRequest(somewhere, 7, 0))
	f.Add([]byte("*\x00\x00\x00\x18\x000000000000000000000000\b\x00000000\x06\x00000000")) // the last attribute is not padded
	f.Fuzz(func(_ *testing.T, answer []byte) { _, _ = parseRoute(answer) })
}
