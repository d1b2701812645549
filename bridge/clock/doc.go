// Package clock is the receiver's clock recovery: from the observations of the real-time
// core it estimates the sender's clock and the local graph's clock, and decides where in the
// incoming stream playout is. It returns a resampling ratio and, rarely, a seek.
//
//	packets -> packetGroups -> tracker (envelope, step detectors) -.
//	                 '-> pdvDistribution -> target -----------------+-> Servo -> ratio, seek
//	cycles  ---------------------> tracker ------------------------'    (playoutState, rateLock)
//
// docs/clock-recovery.md explains it, with its states and its parameters.
package clock
