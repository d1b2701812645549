package field

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/stack"
)

// The test's program run again, on the other machine: it announces what is in a file
// for as long as it runs.
func init() {
	path := os.Getenv("FIELD_TEST_ANNOUNCE")
	if path == "" {
		return
	}
	for {
		if err := announceFile(path, os.Getenv("FIELD_TEST_FROM")); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func announceFile(path, from string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	source, err := netip.ParseAddr(from)
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(source, 0)))
	if err != nil {
		return err
	}
	defer func() { _ = socket.Close() }()
	packet := proto.NewAnnouncement(source, text).Marshal()
	_, err = socket.WriteToUDPAddrPort(packet, netip.AddrPortFrom(proto.SAPGroups[0], proto.SAPPort))
	return err
}

// surface is where our machine can be reached: its UDP sockets and multicast groups,
// as the kernel lists them.
func (m *machines) surface() (all []string) {
	m.t.Helper()
	for file, column := range map[string]int{"/proc/net/udp": 1, "/proc/net/igmp": 0} {
		for _, line := range strings.Split(m.command(m.ours, "cat", file), "\n")[1:] {
			// A group's line begins with a tab, an interface's does not.
			if fields := strings.Fields(line); len(fields) > column && (column == 1 || line[0] == '\t') {
				all = append(all, fields[column])
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestAHostileAnnouncementOpensNothingAndSendsNothing(t *testing.T) {
	m := newMachines(t)
	end := m.start(m.ours, "end", "guest", "--sap-receive", "desk", "--sap-networks", "239.69.0.0/16")
	ends := map[string]*stack.Process{"end": end}
	m.until("listening", ends, func() bool { return m.said(end, "waiting for the announcement") > 0 })
	honest := proto.Description{
		Name: "desk", Address: netip.MustParseAddr("239.69.1.2"), Port: 5004, Payloads: proto.Payloads(proto.L24), RateHz: 48000, SendChannels: 2,
	}
	before := m.surface()
	if len(before) < 3 {
		t.Fatalf("sockets and groups: %v", before)
	}
	captured := m.path("hostile.pcapng")
	dumpcap, err := m.ours.Start("dumpcap", nil, "dumpcap", "-q", "-i", stack.Wire, "-f", "udp", "-B", "64", "-w", captured)
	m.must(err)
	m.until("capture", map[string]*stack.Process{"dumpcap": dumpcap}, func() bool { return m.said(dumpcap, "File:") > 0 })
	// A third machine: it is not the one that is believed.
	const stranger = "10.47.12.66"
	m.ip(m.theirs, "addr add "+stranger+"/24 dev "+stack.Wire)
	announce := func(name, from string, edit func(*proto.Description)) *stack.Process {
		t.Helper()
		d := honest
		edit(&d)
		path := m.path(name + ".sdp")
		m.must(os.WriteFile(path, d.Marshal(), 0o600))
		p, err := m.theirs.Start(name, []string{"FIELD_TEST_ANNOUNCE=" + path, "FIELD_TEST_FROM=" + from}, os.Args[0])
		m.must(err)
		return p
	}
	unchanged := func(name string, want []string) {
		t.Helper()
		if now := m.surface(); !slices.Equal(now, want) {
			t.Errorf("after %s: sockets and groups were\n%v, are\n%v", name, want, now)
		}
	}

	for name, edit := range map[string]func(*proto.Description){
		"another network": func(d *proto.Description) { d.Address = netip.MustParseAddr("239.70.1.2") },
		"link-local":      func(d *proto.Description) { d.Address = netip.MustParseAddr("224.0.0.251") },
		"this machine":    func(d *proto.Description) { d.Address = netip.MustParseAddr(ourAddress) },
		"a third machine": func(d *proto.Description) { d.Address = netip.MustParseAddr("10.47.12.99") },
		"a low port":      func(d *proto.Description) { d.Port = 53 },
		"nothing is sent": func(d *proto.Description) { d.SendChannels = 0 },
		"an offer":        func(d *proto.Description) { d.Version, d.Role = proto.Version, proto.Host },
		"many channels":   func(d *proto.Description) { d.SendChannels = 200 },
	} {
		p := announce(name, theirAddress, edit)
		time.Sleep(300 * time.Millisecond)
		if !p.Alive() {
			t.Fatalf("%s: %s", name, p.LogTail())
		}
		p.Stop()
		unchanged(name, before)
	}

	// It was listening all the time.
	announce("honest", theirAddress, func(*proto.Description) {})
	m.until("honest stream", ends, func() bool { return !slices.Equal(m.surface(), before) })
	time.Sleep(200 * time.Millisecond)
	with := m.surface()
	// As /proc writes them: 239.69.1.2, joined, and bound to with port 5004.
	if len(with) != len(before)+2 || !slices.Contains(with, "020145EF") || !slices.Contains(with, "020145EF:138C") {
		t.Errorf("the honest stream opens %v", with)
	}
	late := announce("too late", stranger, func(d *proto.Description) { d.Address, d.Port = netip.MustParseAddr("239.69.66.66"), 6666 })
	announce("too late and wrong", stranger, func(d *proto.Description) { d.Address = netip.MustParseAddr(ourAddress) })
	time.Sleep(300 * time.Millisecond)
	unchanged("too late", with)
	if !late.Alive() {
		t.Error(late.LogTail())
	}

	m.must(dumpcap.Signal(syscall.SIGINT))
	if _, err := dumpcap.Wait(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	heard := m.command(m.ours, "tshark", "-n", "-r", captured, "-T", "fields", "-e", "ip.src", "-e", "udp.dstport")
	if !strings.Contains(heard, theirAddress+"\t9875") || !strings.Contains(heard, stranger+"\t9875") || strings.Contains(heard, ourAddress+"\t") {
		t.Errorf("our machine sent, or nothing was announced:\n%s", heard)
	}
}
