package sim

import (
	"slices"

	"archibald-bridge/bridge/stream"
)

// sendNs is between two packets that are sent at once.
const sendNs = 2e3

// packet is a datagram on its way.
type packet struct {
	sequence    uint16
	media       int64
	frames      int64
	sendDelayNs float64 // that it says
	arrivalNs   float64
}

// outgoing makes packets of cycles, as the core's sender does.
type outgoing struct {
	packetFrames int64
	whole        bool // each period by itself: what is left of it is a smaller packet
	repeats      stream.Repeats
	sequence     uint16
	next         int64 // media behind the newest cycle
	sent         int64 // and behind the newest packet
	repeated     []repeated
}

// repeated is a packet that goes out again.
type repeated struct {
	packet
	sentMedia int64
	copies    int // so far
}

// cycle returns what is sent in a cycle: its packets, then repeats that are due.
func (o *outgoing) cycle(media, frames int64, sendDelayNs float64) (packets, repeats []packet) {
	if media != o.next {
		o.sent = media // a packet cannot span the skip
	}
	o.next = media + frames
	for o.next-o.sent >= o.packetFrames || o.whole && o.next > o.sent {
		o.sequence++
		p := packet{sequence: o.sequence, media: o.sent, frames: min(o.packetFrames, o.next-o.sent), sendDelayNs: sendDelayNs}
		o.sent += p.frames
		packets = append(packets, p)
		o.repeated = append(o.repeated, repeated{p, o.next, 0})
	}
	for copies := range o.repeats.Copies {
		for i := range o.repeated {
			r := &o.repeated[i]
			if r.copies == copies && o.next-r.sentMedia >= int64((copies+1)*o.repeats.DistanceFrames) {
				r.copies++
				repeats = append(repeats, r.packet)
			}
		}
	}
	o.repeated = slices.DeleteFunc(o.repeated, func(r repeated) bool { return r.copies == o.repeats.Copies })
	return packets, repeats
}

// arriving puts a packet where it belongs among those on their way.
func arriving(pending []packet, p packet) []packet {
	at, _ := slices.BinarySearchFunc(pending, p.arrivalNs, func(q packet, ns float64) int {
		if q.arrivalNs <= ns {
			return -1
		}
		return 1
	})
	return slices.Insert(pending, at, p)
}
