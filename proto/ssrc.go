package proto

import "hash/fnv"

// SSRC returns the RTP source identifier of the end with this session name and
// role. It is the same at every start, since some receivers (PipeWire's) never
// let go of the first one they saw. Never 0; the two roles always differ, also
// under different names: a guest's is odd, a host's even.
func SSRC(name string, role Role) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name)) // never fails
	h.Write([]byte{0})
	h.Write([]byte(role))
	ssrc := h.Sum32() &^ 1
	if ssrc == 0 {
		ssrc = 2
	}
	if role == Guest {
		ssrc |= 1
	}
	return ssrc
}
