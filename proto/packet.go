package proto

// latenessBytes is the header extension that says how late a packet left: 4
// bytes of header, one element of the one-byte form, padding (RFC 8285).
const latenessBytes = 8

// maxPayloadBytes keeps an RTP packet, with IPv6 and UDP headers and the header
// extension, within the smallest IPv6 path MTU of 1280 bytes (RFC 8200, section 5).
const maxPayloadBytes = 1280 - 40 - 8 - 12 - latenessBytes

// PacketFrames returns how many frames one packet should carry so that a period
// is sent in as few packets as fit the path, all of one size when the period can
// be divided so.
func PacketFrames(f Format, periodFrames int) int {
	most := MaxPacketFrames(f)
	for n := min(most, periodFrames); n > most/2; n-- {
		if periodFrames%n == 0 {
			return n
		}
	}
	return min(most, periodFrames)
}

// MaxPacketFrames is how many frames fit a packet.
func MaxPacketFrames(f Format) int {
	if f.Encoding == Opus {
		return MaxOpusFrames
	}
	return maxPayloadBytes / f.BytesPerFrame()
}
