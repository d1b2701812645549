package config

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"archibald-bridge/proto"
)

// errNotLegal is what the UnmarshalText methods here return: the reader of the
// key knows what is legal and says it.
var errNotLegal = errors.New("not legal")

// Latency is the wanted one-way latency: exactly one of its fields is set.
type Latency struct {
	Auto     bool          // found by measuring
	Frames   int           // 1 to 9600, of this end's graph
	Duration time.Duration // up to 200 ms
}

// The largest latency that can be asked for.
const (
	maxLatency       = 200 * time.Millisecond
	maxLatencyFrames = 9600
	mostGapsPerHour  = 3600 // more are no gaps any more
)

// UnmarshalText reads "auto", "96frames" or what time.ParseDuration reads.
func (l *Latency) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "auto" {
		*l = Latency{Auto: true}
		return nil
	}
	if number, found := strings.CutSuffix(s, "frames"); found {
		frames, err := strconv.Atoi(number)
		if err != nil || frames < 1 || frames > maxLatencyFrames {
			return errNotLegal
		}
		*l = Latency{Frames: frames}
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 || d > maxLatency {
		return errNotLegal
	}
	*l = Latency{Duration: d}
	return nil
}

// String returns the latency as UnmarshalText reads it.
func (l Latency) String() string {
	switch {
	case l.Auto:
		return "auto"
	case l.Frames > 0:
		return strconv.Itoa(l.Frames) + "frames"
	}
	return l.Duration.String()
}

// Peer is the address of the other end. The zero value is no peer.
type Peer struct {
	Host string // name or IP address, without brackets
	Port int    // 1 to 65535
}

// UnmarshalText reads HOST, HOST:PORT, [IPV6]:PORT, an IPv6 address alone, or
// nothing for no peer.
func (p *Peer) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "" {
		*p = Peer{}
		return nil
	}
	host, port := s, proto.Port
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	if addr, err := netip.ParseAddr(bare); err == nil && !strings.ContainsAny(addr.Zone(), "[]:") {
		host = addr.String()
	} else if strings.ContainsAny(s, ":[]") {
		var number string
		if host, number, err = net.SplitHostPort(s); err != nil {
			return errNotLegal
		}
		if port, err = strconv.Atoi(number); err != nil || port < 1 || port > 65535 {
			return errNotLegal
		}
	}
	if host == "" || strings.ContainsAny(host, " \t\n/@?#,") {
		return errNotLegal
	}
	*p = Peer{Host: host, Port: port}
	return nil
}

// String returns HOST:PORT as net.Dial takes it; "" for no peer.
func (p Peer) String() string {
	if p.Host == "" {
		return ""
	}
	return net.JoinHostPort(p.Host, strconv.Itoa(p.Port))
}

// Socket is a local address to listen on, with a port that is not 0.
type Socket struct{ netip.AddrPort }

// UnmarshalText reads IP-ADDRESS:PORT.
func (s *Socket) UnmarshalText(text []byte) error {
	addr, err := netip.ParseAddrPort(string(text))
	if err != nil || addr.Port() == 0 {
		return errNotLegal
	}
	s.AddrPort = addr
	return nil
}

// StatusSocket is a Socket or off. The zero value is off.
type StatusSocket struct{ Socket }

// UnmarshalText reads IP-ADDRESS:PORT or "off".
func (s *StatusSocket) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*s = StatusSocket{}
		return nil
	}
	return s.Socket.UnmarshalText(text)
}

// Off says that no status is to be served.
func (s StatusSocket) Off() bool { return !s.IsValid() }

// String returns the address, or "off".
func (s StatusSocket) String() string {
	if s.Off() {
		return "off"
	}
	return s.AddrPort.String()
}

// Duration is a time.Duration written as time.ParseDuration reads it.
type Duration struct{ time.Duration }

// UnmarshalText reads "30s", "1m30s", "0"; never less than 0.
func (d *Duration) UnmarshalText(text []byte) error {
	value, err := time.ParseDuration(string(text))
	if err != nil || value < 0 {
		return errNotLegal
	}
	d.Duration = value
	return nil
}

// PacketTime is 0 or a time that a packet can last.
type PacketTime struct{ time.Duration }

// UnmarshalText reads a Duration.
func (p *PacketTime) UnmarshalText(text []byte) error {
	var d Duration
	err := d.UnmarshalText(text)
	if err != nil || d.Duration != 0 && (d.Duration < minPtime || d.Duration > maxPtime) {
		return errNotLegal
	}
	p.Duration = d.Duration
	return nil
}

// Networks is a list of multicast networks.
type Networks struct{ Prefixes []netip.Prefix }

// UnmarshalText reads ADDRESS/BITS, several with commas between; blanks do not count.
func (n *Networks) UnmarshalText(text []byte) error {
	var prefixes []netip.Prefix
	for part := range strings.SplitSeq(string(text), ",") {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(part))
		if err != nil || !prefix.Addr().IsMulticast() || prefix != prefix.Masked() || prefix.Bits() < 4 {
			return errNotLegal
		}
		prefixes = append(prefixes, prefix)
	}
	n.Prefixes = prefixes
	return nil
}

// String returns the networks as UnmarshalText reads them.
func (n Networks) String() string {
	var parts []string
	for _, prefix := range n.Prefixes {
		parts = append(parts, prefix.String())
	}
	return strings.Join(parts, ",")
}
