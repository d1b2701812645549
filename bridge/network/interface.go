package network

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Interface is net.InterfaceByName, also in a sandbox without netlink: index, name and
// flags are then asked of the kernel in the old way (netdevice(7)).
func Interface(name string) (*net.Interface, error) {
	found, err := net.InterfaceByName(name)
	var refused *os.SyscallError // what is not there is no error of a system call
	if errors.As(err, &refused) {
		return byIoctl(name)
	}
	return found, err
}

func byIoctl(name string) (*net.Interface, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(fd) }()
	found := &net.Interface{Name: name}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request); err != nil {
		return nil, err
	}
	found.Index = int(request.Uint32())
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); err != nil {
		return nil, err
	}
	for bit, flag := range map[uint16]net.Flags{
		unix.IFF_UP: net.FlagUp, unix.IFF_RUNNING: net.FlagRunning, unix.IFF_MULTICAST: net.FlagMulticast,
		unix.IFF_BROADCAST: net.FlagBroadcast, unix.IFF_LOOPBACK: net.FlagLoopback, unix.IFF_POINTOPOINT: net.FlagPointToPoint,
	} {
		if request.Uint16()&bit != 0 {
			found.Flags |= flag
		}
	}
	return found, nil
}
