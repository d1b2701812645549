// Code generated from bridge/stream/counters.go by go generate; DO NOT EDIT.

package rt

// #include "counters.h"
import "C"

import "archibald-bridge/bridge/stream"

func takeSent(from *C.sent_copy, to *stream.SendCounters) {
	to.Cycles = uint64(from.cycles)
	to.Packets = uint64(from.packets)
	to.Bytes = uint64(from.bytes)
	to.SendErrors = uint64(from.errors)
	to.NonFinite = uint64(from.nonfinite)
	to.Skips = uint64(from.skips)
	to.SkippedFrames = uint64(from.skipped_frames)
}

func takeReceived(from *C.received_copy, to *stream.ReceiveCounters) {
	to.Cycles = uint64(from.cycles)
	to.Packets = uint64(from.packets)
	to.Bytes = uint64(from.bytes)
	to.Lost = uint64(from.lost)
	to.DiscardedLate = uint64(from.discarded_late)
	to.Duplicate = uint64(from.duplicate)
	to.Recovered = uint64(from.recovered)
	to.Reordered = uint64(from.reordered)
	to.WrongSource = uint64(from.wrong_source)
	to.WrongSSRC = uint64(from.wrong_ssrc)
	to.WrongPayload = uint64(from.wrong_payload)
	to.Malformed = uint64(from.malformed)
	to.Outside = uint64(from.outside)
	to.Implausible = uint64(from.implausible)
	to.RTCPOverBudget = uint64(from.rtcp_over_budget)
	to.ReceiveErrors = uint64(from.read_errors)
	to.NonFinite = uint64(from.nonfinite)
	to.ConcealedFrames = uint64(from.concealed_frames)
	to.Dropouts = uint64(from.dropouts)
	to.Predicted = uint64(from.predicted)
	to.Skips = uint64(from.skips)
	to.SkippedFrames = uint64(from.skipped_frames)
	to.Waited = uint64(from.waited)
	to.Unanswered = uint64(from.unanswered)
	to.LeftOut = uint64(from.left_out)
	to.MadeUp = uint64(from.made_up)
	to.Takeovers = uint64(from.takeovers)
	to.GivenUp = uint64(from.given_up)
}
