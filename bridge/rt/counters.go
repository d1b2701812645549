package rt

/*
#include <linux/sock_diag.h>
#include <string.h>
#include "counters.h"

#define TAKE(field) to->field = atomic_load_explicit(&from->field, memory_order_relaxed);

static void take_peaks(_Atomic uint32_t *bits, float *peak) {
    for (int c = 0; c < MAX_CHANNELS; c++) {
        uint32_t b = atomic_exchange_explicit(&bits[c], 0, memory_order_relaxed);
        memcpy(&peak[c], &b, sizeof b);
    }
}

static void copy_sent(archibald_engine *e, sent_copy *to) {
    send_counters *from = &e->sent;
    SEND_COUNTERS(TAKE)
    TAKE(last_timestamp)
    TAKE(last_send_ns)
    TAKE(last_capture_delay_ns)
    TAKE(last_errno)
    take_peaks(from->peak_bits, to->peak);
}

static void copy_received(archibald_engine *e, received_copy *to) {
    receive_counters *from = &e->received;
    RECEIVE_COUNTERS(TAKE)
    TAKE(last_packet_ns)
    TAKE(highest_sequence)
    TAKE(seen_payload_type)
    to->observations = atomic_load_explicit(&e->observations.dropped, memory_order_relaxed);
    take_peaks(from->peak_bits, to->peak);
}

static int take_stranger(archibald_engine *e, struct sockaddr_storage *from) {
    receive_counters *count = &e->received;
    if (!atomic_load_explicit(&count->have_stranger, memory_order_acquire)) return 0;
    *from = count->stranger;
    atomic_store_explicit(&count->have_stranger, 0, memory_order_release);
    return 1;
}

// What the kernel dropped of the socket's datagrams so far, modulo 2^32.
static uint32_t kernel_drops(int fd) {
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t bytes = sizeof info;
    if (fd >= 0) getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &bytes);
    return info[SK_MEMINFO_DROPS];
}
*/
import "C"

import (
	"syscall"
	"unsafe"

	"archibald-bridge/bridge/stream"
)

// Counters implements session.Core. Peaks have one value per channel the core
// can hold; each call begins them again.
func (e *Engine) Counters() stream.Counters {
	var s C.sent_copy
	var r C.received_copy
	C.copy_sent(e.c, &s)
	C.copy_received(e.c, &r)
	drops := uint32(C.kernel_drops(e.c.fd))
	e.kernelDrops += uint64(drops - uint32(e.kernelDrops))
	if C.take_stranger(e.c, &e.scratch) != 0 {
		e.stranger = e.socket.address(unsafe.Pointer(&e.scratch))
	}
	counters := stream.Counters{
		Sent: stream.SendCounters{
			LastTimestamp: uint32(s.last_timestamp), LastSendNs: int64(s.last_send_ns), LastCaptureDelayNs: int64(s.last_capture_delay_ns),
			SendErrno: syscall.Errno(s.last_errno), PeakLinear: peaks(&s.peak),
		},
		Received: stream.ReceiveCounters{
			Observations: uint64(r.observations), KernelDrops: e.kernelDrops,
			LastPacketNs: int64(r.last_packet_ns), HighestSequence: uint32(r.highest_sequence),
			SeenPayloadType: uint8(r.seen_payload_type), SeenSource: e.stranger, PeakLinear: peaks(&r.peak),
		},
	}
	takeSent(&s, &counters.Sent)
	takeReceived(&r, &counters.Received)
	return counters
}

func peaks(from *[C.MAX_CHANNELS]C.float) []float64 {
	out := make([]float64, len(from))
	for i, p := range from {
		out[i] = float64(p)
	}
	return out
}
