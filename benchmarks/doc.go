// Command benchmarks measures the bridge on real servers on this machine: round
// trip, dropouts at small periods, time to recover, cost. Every table stands
// beside a control without the bridge and the machine's own timer jitter, since
// a virtual machine shows more of itself than of the bridge.
//
//	go run ./benchmarks [-seconds 20] [roundtrip] [dropouts] [recovery] [channels] [cost] [opus]
package main
