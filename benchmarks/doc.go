// Command benchmarks measures the bridge on real servers on this machine: round
// trip, dropouts at small periods, time to recover, cost. Every table comes with
// a control without the bridge and the machine's own timer jitter, because the
// figures of a virtual machine tell more about the machine than about the bridge.
//
//	go run ./benchmarks [-seconds 20] [roundtrip] [dropouts] [recovery] [channels] [cost] [opus]
package main
