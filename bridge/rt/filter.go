package rt

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// hearing is what the kernel lets into the socket; the zero value: nothing. What it
// drops costs no thread of ours anything.
type hearing struct {
	rtcp        bool
	from        netip.Addr // the zero Addr: anybody
	scope       uint32     // the interface that from's zone names now; 0: none
	ssrc        uint32     // 0: any
	payloadType uint8      // of RTP; 0: none
	look        bool       // and a sample of the rest
}

const (
	// We look at one in 8 dropped packets of the peer, and at one in 64 of others. A flood
	// must leave room for right packets.
	lookAtPeer, lookAtOthers = 8, 64

	udp = 8 // the socket's filter sees the UDP header first (socket(7))

	// linux/filter.h: where the IP header begins, and what else the kernel knows.
	ipHeader       = 0xfff00000 // SKF_NET_OFF
	interfaceIndex = 0xfffff008 // SKF_AD_OFF + SKF_AD_IFINDEX
	random         = 0xfffff038 // SKF_AD_OFF + SKF_AD_RANDOM

	accept, drop = 0xffff, 0
)

// filter attaches the filter for h, in place of the one before.
func (s *mediaSocket) filter(h hearing) error {
	program := h.program(s.v6)
	err := unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	if err != nil {
		return fmt.Errorf("media socket: SO_ATTACH_FILTER: %w", err)
	}
	return nil
}

// program is h in the language of BPF, for a socket of IPv6 (which hears IPv4, too) or
// IPv4. RTP and RTCP are told apart by RFC 5761, section 4; RTCP begins with a
// report of its sender (RFC 3550, section 6.1).
func (h hearing) program(v6 bool) []unix.SockFilter {
	if !h.rtcp {
		return []unix.SockFilter{give(drop)}
	}
	var p program
	p.source(h.from, h.scope, v6)
	p.load(unix.BPF_B, udp)
	p.and(0xc0)
	p.want(2<<6, "other")
	p.load(unix.BPF_B, udp+1)
	p.jump(unix.BPF_JGE, 192, "", "rtp")
	p.jump(unix.BPF_JGT, 223, "rtp", "")
	p.jump(unix.BPF_JGE, 200, "", "drop")
	p.jump(unix.BPF_JGT, 201, "drop", "")
	if h.ssrc != 0 {
		p.load(unix.BPF_W, udp+4)
		p.want(h.ssrc, "drop")
	}
	p.add(give(accept))
	p.label("rtp")
	if h.payloadType != 0 {
		p.and(0x7f)
		p.want(uint32(h.payloadType), "other")
		if h.ssrc != 0 {
			p.load(unix.BPF_W, udp+8)
			p.want(h.ssrc, "other")
		}
		p.add(give(accept))
	}
	p.label("other")
	if h.look {
		p.sample(lookAtPeer)
	}
	p.add(give(drop))
	p.label("stranger")
	if h.look {
		p.load(unix.BPF_B, udp+1)
		p.jump(unix.BPF_JGE, 192, "", "look")
		p.jump(unix.BPF_JGT, 223, "", "drop") // its reports are never wanted
		p.label("look")
		p.sample(lookAtOthers)
	}
	p.label("drop")
	p.add(give(drop))
	return p.link()
}

// program is a program under construction. Jumps go forward, to labels.
type program struct {
	code   []unix.SockFilter
	jumps  []jump
	labels map[string]int
}

type jump struct {
	at      int
	yes, no string // "": the next one
}

func give(bytes uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: bytes}
}

func (p *program) add(f unix.SockFilter) { p.code = append(p.code, f) }

func (p *program) load(size uint16, at uint32) {
	p.add(unix.SockFilter{Code: unix.BPF_LD | size | unix.BPF_ABS, K: at})
}

func (p *program) and(mask uint32) {
	p.add(unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: mask})
}

func (p *program) jump(op uint16, k uint32, yes, no string) {
	p.jumps = append(p.jumps, jump{len(p.code), yes, no})
	p.add(unix.SockFilter{Code: unix.BPF_JMP | op | unix.BPF_K, K: k})
}

// want goes elsewhere unless what was loaded is k.
func (p *program) want(k uint32, elsewhere string) { p.jump(unix.BPF_JEQ, k, "", elsewhere) }

func (p *program) label(name string) {
	if p.labels == nil {
		p.labels = map[string]int{}
	}
	p.labels[name] = len(p.code)
}

// source wants a source address in the IP header, and of a link-local one with a zone
// the interface.
func (p *program) source(from netip.Addr, scope uint32, v6 bool) {
	if !from.IsValid() {
		return
	}
	from = from.Unmap()
	if v6 {
		version := uint32(6)
		if from.Is4() {
			version = 4
		}
		p.load(unix.BPF_B, ipHeader)
		p.and(0xf0)
		p.want(version<<4, "stranger")
	}
	at := uint32(8)
	if from.Is4() {
		at = 12
	}
	for i, b := uint32(0), from.AsSlice(); int(i) < len(b); i += 4 {
		p.load(unix.BPF_W, ipHeader+at+i)
		p.want(binary.BigEndian.Uint32(b[i:]), "stranger")
	}
	if scope != 0 {
		p.load(unix.BPF_W, interfaceIndex)
		p.want(scope, "stranger")
	}
}

// sample accepts one in n, a power of two.
func (p *program) sample(n uint32) {
	p.load(unix.BPF_W, random)
	p.and(n - 1)
	p.want(0, "drop")
	p.add(give(accept))
}

// link puts the distances into the jumps.
func (p *program) link() []unix.SockFilter {
	for _, j := range p.jumps {
		distance := func(label string) uint8 {
			if label == "" {
				return 0
			}
			return uint8(p.labels[label] - j.at - 1)
		}
		p.code[j.at].Jt, p.code[j.at].Jf = distance(j.yes), distance(j.no)
	}
	return p.code
}
