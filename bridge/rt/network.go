package rt

/*
#include "core.h"

static int try_reading(archibald_engine *e) {
    return !atomic_exchange_explicit(&e->reading, 1, memory_order_acquire);
}
static void end_reading(archibald_engine *e) {
    atomic_store_explicit(&e->reading, 0, memory_order_release);
}
static int64_t last_read_ns(archibald_engine *e) {
    return atomic_load_explicit(&e->last_read_ns, memory_order_relaxed);
}
static int media_source(archibald_engine *e, struct sockaddr_storage *from) {
    archibald_receiver *receiver = atomic_load(&e->receiver);
    if (!receiver || !atomic_load_explicit(&receiver->have_from, memory_order_acquire)) return 0;
    *from = receiver->from;
    const in_port_t port = (in_port_t)atomic_load_explicit(&receiver->from_port, memory_order_relaxed);
    if (from->ss_family == AF_INET)
        ((struct sockaddr_in *)from)->sin_port = port;
    else
        ((struct sockaddr_in6 *)from)->sin6_port = port;
    return 1;
}
*/
import "C"

import (
	"net/netip"
	"time"
	"unsafe"
)

// AcceptRTCP implements session.Core.
func (e *Engine) AcceptRTCP(from netip.Addr, ssrc uint32) error {
	return e.hear(hearing{rtcp: true, from: from, ssrc: ssrc})
}

// Look implements session.Core.
func (e *Engine) Look(on bool) error {
	h := e.hearing
	h.look = on
	return e.hear(h)
}

func (e *Engine) hear(h hearing) error {
	if e.socket != nil {
		h.scope = e.socket.scopeOf(h.from)
	}
	if h == e.hearing {
		return nil
	}
	if e.socket != nil {
		if err := e.socket.filter(h); err != nil {
			return err
		}
	}
	e.hearing = h
	return nil
}

// MediaSource implements session.Core.
func (e *Engine) MediaSource() netip.AddrPort {
	if C.media_source(e.c, &e.scratch) == 0 {
		return netip.AddrPort{}
	}
	return e.socket.address(unsafe.Pointer(&e.scratch))
}

// SendRTCP implements session.Core.
func (e *Engine) SendRTCP(packet []byte, from netip.Addr, to netip.AddrPort) error {
	return e.socket.send(packet, from, to)
}

// ReadRTCP implements session.Core.
func (e *Engine) ReadRTCP(buf []byte) (n int, from netip.AddrPort, arrivalNs int64, ok bool) {
	if C.archibald_rtcp_read(&e.c.rtcp, &e.rtcp) == 0 {
		return 0, netip.AddrPort{}, 0, false
	}
	n = copy(buf, unsafe.Slice((*byte)(&e.rtcp.data[0]), int(e.rtcp.bytes)))
	return n, e.socket.address(unsafe.Pointer(&e.rtcp.from)), int64(e.rtcp.arrival_ns), true
}

// narrow closes the filter to everybody but the source that became the peer.
func (e *Engine) narrow() {
	if e.hearing.payloadType == 0 || e.hearing.from.IsValid() {
		return
	}
	if source := e.MediaSource(); source.IsValid() {
		h := e.hearing
		h.from = source.Addr()
		_ = e.hear(h) // else the core drops what is not the peer's
	}
}

// Idle implements session.Core.
func (e *Engine) Idle(nowNs int64) {
	e.narrow()
	if nowNs-int64(C.last_read_ns(e.c)) < int64(100*time.Millisecond) || C.try_reading(e.c) == 0 {
		return
	}
	C.archibald_socket_drain(e.c, nil, C.int64_t(nowNs), 1024)
	C.end_reading(e.c)
}
