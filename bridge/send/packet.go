package send

import (
	"time"

	"archibald-bridge/bridge/codec"
	"archibald-bridge/proto"
)

// codedFrames is the packet time of a coded stream when none is asked for: 5 ms.
const codedFrames = codec.RateHz / 200

// PacketFrames is how many frames each packet holds: those of the packet time
// asked for, as many as fit, or a period.
func PacketFrames(format proto.Format, ptime time.Duration, periodFrames int) int {
	wanted := PtimeFrames(ptime, format.RateHz)
	if codec.Codes(format.Encoding) && wanted == 0 {
		return codedFrames
	}
	if wanted == 0 {
		return proto.PacketFrames(format, periodFrames)
	}
	return min(wanted, proto.MaxPacketFrames(format))
}

// PtimeFrames is a packet time in frames; 0: none is asked for.
func PtimeFrames(ptime time.Duration, rateHz int) int {
	if ptime == 0 {
		return 0
	}
	return max(1, int((ptime*time.Duration(rateHz)+time.Second/2)/time.Second))
}
