package network

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// errRefused is of a netlink socket that this process may not have, as in a sandbox.
var errRefused = errors.New("netlink refused")

func refused(err error) bool { return errors.Is(err, errRefused) }

func netlink(kind int, groups uint32) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|kind, unix.NETLINK_ROUTE)
	if err == nil {
		if err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
			_ = unix.Close(fd)
		}
	}
	if err != nil {
		return -1, fmt.Errorf("%w: %w", errRefused, err)
	}
	return fd, nil
}

// changes tells of every change of interfaces, addresses and routes until ctx ends
// (rtnetlink(7)). The channel holds one: many at once are as good as one. It is closed
// when there are no more to be had.
func changes(ctx context.Context) (<-chan struct{}, error) {
	fd, err := netlink(unix.SOCK_NONBLOCK, unix.RTMGRP_LINK|
		unix.RTMGRP_IPV4_IFADDR|unix.RTMGRP_IPV6_IFADDR|unix.RTMGRP_IPV4_ROUTE|unix.RTMGRP_IPV6_ROUTE)
	if err != nil {
		return nil, err
	}
	socket, signal := os.NewFile(uintptr(fd), "netlink"), make(chan struct{}, 1)
	context.AfterFunc(ctx, func() { _ = socket.Close() })
	go func() {
		defer close(signal)
		buf := make([]byte, 1<<16)
		for {
			// What it says does not matter, nor that some was lost (ENOBUFS): the kernel
			// is asked for what there is now.
			if _, err := socket.Read(buf); err != nil && !errors.Is(err, unix.ENOBUFS) {
				return
			}
			select {
			case signal <- struct{}{}:
			default:
			}
		}
	}()
	return signal, nil
}

// route asks the kernel which way it would take; index 0: any. It answers at once.
func route(to netip.Addr, index int) (Way, error) {
	answer, err := ask(routeRequest(to, index, 0))
	if err != nil {
		return Way{}, err
	}
	return parseRoute(answer)
}

// ask sends a request to the kernel and returns its answer.
func ask(request []byte) ([]byte, error) {
	fd, err := netlink(0, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(fd) }()
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1})
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("%w: %w", errRefused, err)
	}
	buf := make([]byte, 1<<13)
	n, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRefused, err)
	}
	return buf[:n], nil
}

// RouteChosen says whether somebody chose the way to an IPv4 group, by a route that is not
// the one to everywhere. Of IPv6 every interface has a route for groups by itself.
func RouteChosen(to netip.Addr) bool {
	if !to.Is4() {
		return false
	}
	answer, err := ask(routeRequest(to, 0, unix.RTM_F_FIB_MATCH)) // the entry, not what follows from it
	if err != nil {
		return false
	}
	messages, err := syscall.ParseNetlinkMessage(answer)
	const prefixLength = 1 // in struct rtmsg
	return err == nil && len(messages) > 0 && messages[0].Header.Type == unix.RTM_NEWROUTE &&
		len(messages[0].Data) >= unix.SizeofRtMsg && messages[0].Data[prefixLength] > 0
}

func routeRequest(to netip.Addr, index int, flags uint32) []byte {
	family := byte(unix.AF_INET)
	if to.Is6() {
		family = unix.AF_INET6
	}
	var attributes []byte
	add := func(kind uint16, value []byte) { // of 4 or 16 bytes: aligned
		attributes = binary.NativeEndian.AppendUint16(attributes, uint16(unix.SizeofRtAttr+len(value)))
		attributes = binary.NativeEndian.AppendUint16(attributes, kind)
		attributes = append(attributes, value...)
	}
	add(unix.RTA_DST, to.AsSlice())
	if index != 0 {
		add(unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(index)))
	}
	message := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+unix.SizeofRtMsg+len(attributes)))
	message = binary.NativeEndian.AppendUint16(message, unix.RTM_GETROUTE)
	message = binary.NativeEndian.AppendUint16(message, unix.NLM_F_REQUEST)
	message = append(message, make([]byte, 8)...) // sequence number and port
	routing := make([]byte, unix.SizeofRtMsg)
	routing[0], routing[1] = family, byte(to.BitLen())
	binary.NativeEndian.PutUint32(routing[8:], flags)
	return append(append(message, routing...), attributes...)
}

func parseRoute(answer []byte) (Way, error) {
	messages, err := syscall.ParseNetlinkMessage(answer)
	if err != nil || len(messages) == 0 {
		return Way{}, errors.New("no answer of the kernel")
	}
	m := &messages[0]
	switch m.Header.Type {
	case unix.NLMSG_ERROR:
		if len(m.Data) < 4 {
			return Way{}, errors.New("no answer of the kernel")
		}
		return Way{}, unix.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
	case unix.RTM_NEWROUTE:
	default:
		return Way{}, fmt.Errorf("the kernel answers with %d", m.Header.Type)
	}
	var w Way
	for rest := m.Data[min(unix.SizeofRtMsg, len(m.Data)):]; len(rest) >= unix.SizeofRtAttr; {
		size := int(binary.NativeEndian.Uint16(rest))
		if size < unix.SizeofRtAttr || size > len(rest) {
			return Way{}, errors.New("an answer of the kernel that breaks off")
		}
		switch value := rest[unix.SizeofRtAttr:size]; binary.NativeEndian.Uint16(rest[2:]) {
		case unix.RTA_OIF:
			if len(value) >= 4 {
				w.Index = int(binary.NativeEndian.Uint32(value))
			}
		case unix.RTA_PREFSRC:
			if source, ok := netip.AddrFromSlice(value); ok && !source.IsUnspecified() {
				w.Source = source
			}
		}
		// Each begins at a multiple of 4 (rtnetlink(3)), which the last one need not fill.
		rest = rest[min((size+3)&^3, len(rest)):]
	}
	return w, nil
}
