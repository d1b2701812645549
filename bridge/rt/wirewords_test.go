package rt

import (
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// payloadType is the dynamic payload type that the tests give to an encoding.
func payloadType(e stream.Encoding) uint8 {
	return map[stream.Encoding]uint8{stream.L16: 96, stream.L24: 97, stream.F32: 98, stream.Coded: 111}[e]
}

// packetFrames is how many frames of a period fit into one packet.
func packetFrames(f stream.Format, period int) int {
	return proto.PacketFrames(proto.Format{Encoding: proto.Encoding(f.Encoding), RateHz: f.RateHz, Channels: f.Channels}, period)
}
