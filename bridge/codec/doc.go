// Package codec makes and reads the packets of coded streams on ordinary goroutines;
// Opus (RFC 6716, RFC 7587) is the only codec. The audio threads only move samples: what
// they captured waits in a ring until it is encoded, and what was decoded in
// another until it is played. Logic only: the codec, the rings and the clock are
// interfaces.
package codec
