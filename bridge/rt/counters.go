package rt

/*
#include <linux/sock_diag.h>
#include <string.h>
#include "core.h"

// Plain copies, for one cgo call.
typedef struct {
    uint64_t cycles, packets, bytes, errors, nonfinite, skips, skipped_frames;
    uint32_t last_timestamp;
    int64_t last_send_ns, last_capture_delay_ns;
    int last_errno;
    float peak[MAX_CHANNELS];
} sent_copy;

typedef struct {
    uint64_t cycles, packets, bytes, lost, discarded_late, duplicate, recovered, reordered, malformed, wrong_source,
        wrong_ssrc, wrong_payload, outside, nonfinite, concealed_frames, dropouts, predicted, skips,
        skipped_frames, implausible, rtcp_over_budget, read_errors, observations;
    int64_t last_packet_ns;
    uint32_t highest_sequence, seen_payload_type;
    float peak[MAX_CHANNELS];
} received_copy;

#define TAKE(field) to->field = atomic_load_explicit(&from->field, memory_order_relaxed)

static void take_peaks(_Atomic uint32_t *bits, float *peak) {
    for (int c = 0; c < MAX_CHANNELS; c++) {
        uint32_t b = atomic_exchange_explicit(&bits[c], 0, memory_order_relaxed);
        memcpy(&peak[c], &b, sizeof b);
    }
}

static void copy_sent(archibald_engine *e, sent_copy *to) {
    send_counters *from = &e->sent;
    TAKE(cycles); TAKE(packets); TAKE(bytes); TAKE(errors); TAKE(nonfinite); TAKE(skips);
    TAKE(skipped_frames); TAKE(last_timestamp); TAKE(last_send_ns); TAKE(last_capture_delay_ns);
    TAKE(last_errno);
    take_peaks(from->peak_bits, to->peak);
}

static void copy_received(archibald_engine *e, received_copy *to) {
    receive_counters *from = &e->received;
    TAKE(cycles); TAKE(packets); TAKE(bytes); TAKE(lost); TAKE(discarded_late); TAKE(duplicate);
    TAKE(recovered); TAKE(reordered); TAKE(malformed); TAKE(wrong_source); TAKE(wrong_ssrc); TAKE(wrong_payload);
    TAKE(outside); TAKE(nonfinite); TAKE(concealed_frames); TAKE(dropouts); TAKE(predicted); TAKE(skips);
    TAKE(skipped_frames); TAKE(last_packet_ns); TAKE(highest_sequence);
    TAKE(implausible); TAKE(rtcp_over_budget); TAKE(read_errors); TAKE(seen_payload_type);
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
// can hold; each call begins them anew.
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
	return stream.Counters{
		Sent: stream.SendCounters{
			Cycles: uint64(s.cycles), Packets: uint64(s.packets), Bytes: uint64(s.bytes),
			SendErrors: uint64(s.errors), NonFinite: uint64(s.nonfinite), Skips: uint64(s.skips),
			SkippedFrames: uint64(s.skipped_frames), LastTimestamp: uint32(s.last_timestamp),
			LastSendNs: int64(s.last_send_ns), LastCaptureDelayNs: int64(s.last_capture_delay_ns),
			SendErrno: syscall.Errno(s.last_errno), PeakLinear: peaks(&s.peak),
		},
		Received: stream.ReceiveCounters{
			Cycles: uint64(r.cycles), Packets: uint64(r.packets), Bytes: uint64(r.bytes),
			Lost: uint64(r.lost), DiscardedLate: uint64(r.discarded_late), Duplicate: uint64(r.duplicate),
			Recovered: uint64(r.recovered), Reordered: uint64(r.reordered), Malformed: uint64(r.malformed),
			WrongSource: uint64(r.wrong_source), WrongSSRC: uint64(r.wrong_ssrc),
			WrongPayload: uint64(r.wrong_payload), Outside: uint64(r.outside),
			NonFinite: uint64(r.nonfinite), ConcealedFrames: uint64(r.concealed_frames),
			Dropouts: uint64(r.dropouts), Predicted: uint64(r.predicted), Skips: uint64(r.skips),
			SkippedFrames: uint64(r.skipped_frames), Observations: uint64(r.observations),
			LastPacketNs: int64(r.last_packet_ns), HighestSequence: uint32(r.highest_sequence),
			Implausible: uint64(r.implausible), KernelDrops: e.kernelDrops, ReceiveErrors: uint64(r.read_errors),
			RTCPOverBudget: uint64(r.rtcp_over_budget), SeenPayloadType: uint8(r.seen_payload_type),
			SeenSource: e.stranger, PeakLinear: peaks(&r.peak),
		},
	}
}

func peaks(from *[C.MAX_CHANNELS]C.float) []float64 {
	out := make([]float64, len(from))
	for i, p := range from {
		out[i] = float64(p)
	}
	return out
}
