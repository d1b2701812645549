package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// Absent is an error of something that may come later.
type Absent struct{ What string } // "interface eth0 is not there"

func (a *Absent) Error() string { return a.What }

// IsAbsent says whether err is of something that may come later: a network that is not
// there yet, or not any more. What another program holds, or nobody can have, is not.
func IsAbsent(err error) bool {
	var absent *Absent
	if errors.As(err, &absent) {
		return true
	}
	for _, one := range []error{
		unix.ENODEV, unix.ENXIO, unix.EADDRNOTAVAIL, unix.ENETUNREACH, unix.ENETDOWN, unix.EHOSTUNREACH,
		unix.ENOBUFS, unix.ENOMEM,
	} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

// Way is how packets leave this machine.
type Way struct {
	Index  int        // of the interface; 0: the kernel chooses, because we cannot ask it
	Name   string     // of the interface
	Source netip.Addr // that packets come from; the zero Addr: there is none
}

// WayTo is the way to an address, by the interface of that name or, without one, as the
// routes say. Where the interface is there and of no use (IsAbsent), its index is
// returned with the error: what is joined now works as soon as it is up.
func WayTo(to netip.Addr, device string) (Way, error) {
	to = to.Unmap().WithZone("")
	var w Way
	if device != "" {
		found, err := interfaceNamed(device)
		if err != nil {
			return w, err
		}
		w.Index, w.Name = found.Index, found.Name
		if err := usable(found); err != nil {
			return w, err
		}
	}
	routed, err := route(to, w.Index)
	if device != "" && !refused(err) { // whatever the routes say, packets can be sent there
		w.Source = routed.Source
		return w, nil
	}
	if refused(err) {
		w.Source, err = sourceTowards(to)
		return w, err
	}
	if errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EHOSTUNREACH) || errors.Is(err, unix.ENETDOWN) {
		return w, noRoute(to)
	}
	if err != nil {
		return w, fmt.Errorf("route to %s: %w", to, err)
	}
	found, err := net.InterfaceByIndex(routed.Index)
	if err != nil { // it went away since
		return w, noRoute(to)
	}
	routed.Name = found.Name
	return routed, usable(found)
}

func noRoute(to netip.Addr) error {
	text := fmt.Sprintf("no route to %s", to)
	if to.IsMulticast() {
		text += " (none is needed with --multicast-interface NAME)"
	}
	return &Absent{text}
}

// SourceTowards is WayTo with an address of this machine that packets come from.
func SourceTowards(to netip.Addr, device string) (Way, error) {
	w, err := WayTo(to, device)
	switch {
	case err != nil:
		return w, err
	case !w.Source.IsValid() && w.Name != "":
		return w, &Absent{fmt.Sprintf("interface %s has no address", w.Name)}
	case !w.Source.IsValid():
		return w, &Absent{fmt.Sprintf("no address towards %s", to)}
	}
	return w, nil
}

// By is the way in words; "" when its interface is not known.
func (w Way) By() string {
	if w.Name == "" {
		return ""
	}
	return "interface " + w.Name
}

func interfaceNamed(name string) (*net.Interface, error) {
	found, err := Interface(name)
	if err != nil {
		return nil, &Absent{fmt.Sprintf("interface %s is not there", name)}
	}
	return found, nil
}

// usable says why nothing comes or goes by an interface.
func usable(i *net.Interface) error {
	switch {
	case i.Flags&net.FlagUp == 0:
		return &Absent{fmt.Sprintf("interface %s is down", i.Name)}
	case i.Flags&net.FlagRunning == 0:
		return &Absent{fmt.Sprintf("interface %s has no link", i.Name)}
	}
	return nil
}

// HasAddress says why this machine cannot listen on an address: it has it not, or not
// yet (an IPv6 address is looked for in the network first, RFC 4862, section 5.4).
func HasAddress(address netip.Addr) error {
	if address.IsUnspecified() || address.IsMulticast() {
		return nil
	}
	bound := address
	if zone := address.Zone(); zone != "" {
		found, err := interfaceNamed(zone)
		if err != nil {
			return err
		}
		bound = address.WithZone(strconv.Itoa(found.Index)) // package net may know an older one by the name
	}
	probe, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(bound, 0)))
	switch {
	case IsAbsent(err):
		return &Absent{fmt.Sprintf("this machine does not have the address %s", address)}
	case err != nil:
		return fmt.Errorf("listen %s: %w", address, err)
	}
	return probe.Close()
}

// sourceTowards asks without netlink: by a socket that sends nothing.
func sourceTowards(to netip.Addr) (netip.Addr, error) {
	probe, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 9)))
	if IsAbsent(err) {
		return netip.Addr{}, noRoute(to)
	}
	if err != nil {
		return netip.Addr{}, err
	}
	defer func() { _ = probe.Close() }()
	return probe.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().WithZone(""), nil
}
