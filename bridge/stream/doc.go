// Package stream holds what control and the real-time core say to each other: the plans
// of the two directions, the records of what the core saw, its counters, and the tap
// through which a codec in control takes and gives sound. It needs nothing else of ours,
// so the core can be built and tested without what decides above it.
package stream
