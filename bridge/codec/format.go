package codec

import (
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// Codes says whether a codec makes the packets of an encoding; else samples are
// their payload.
func Codes(e proto.Encoding) bool { return e == proto.Opus }

// FormatOf is a format as the core knows it.
func FormatOf(f proto.Format) stream.Format {
	encoding := stream.Encoding(f.Encoding)
	if Codes(f.Encoding) {
		encoding = stream.Coded
	}
	return stream.Format{Encoding: encoding, RateHz: f.RateHz, Channels: f.Channels}
}

// RepeatsOf is what a sender with that period and those packets repeats. Its distances
// count in periods, or, of a coded stream, in packets, with which alone it sends.
func RepeatsOf(r proto.Redundancy, f proto.Format, periodFrames, packetFrames int) stream.Repeats {
	unit := periodFrames
	if Codes(f.Encoding) {
		unit = packetFrames
	}
	return stream.RepeatsOf(r.Copies, r.Distance, unit)
}
