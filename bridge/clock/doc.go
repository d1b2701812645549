// Package clock decides where in the incoming stream the receiver plays: it
// follows the sender's clock and the local graph's clock from the core's
// observations and returns a resampling ratio and, rarely, a seek.
package clock
