// Command driftlock shows in the simulator how a receiver comes to follow a
// sender whose clock is 500 ppm off: the error of its delay and its resampling
// ratio over time. It writes benchmarks/driftlock/driftlock.json, which
// benchmarks/report draws.
//
//	go run ./benchmarks/driftlock
package main
