package endtoend

import (
	"fmt"
	"net"

	"archibald-bridge/proto"
)

// FreePort returns 4713, or another port where some program has 4713 on all
// addresses, these ends' included: PulseAudio's own TCP port is 4713.
func FreePort() (int, error) {
	for port := 4713; port < 65536; port += 1000 {
		if isFree(proto.Guest, port) && isFree(proto.Host, port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("ports 4713, 5713 ... 64713 of %s are all in use", Address(proto.Guest))
}

// freeUDPPort returns a port that no program of this machine has on its own loopback address.
func freeUDPPort() (int, error) {
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer socket.Close()
	return socket.LocalAddr().(*net.UDPAddr).Port, nil
}

func isFree(role proto.Role, port int) bool {
	address := fmt.Sprintf("%s:%d", Address(role), port)
	tcp, err := net.Listen("tcp4", address)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp4", address)
	if err != nil {
		return false
	}
	return udp.Close() == nil
}
