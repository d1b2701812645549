// Package netone drives a JACK server from outside: jackd's driver netone runs a cycle of the
// graph for each packet that reaches its UDP port. A thread of this package sends it one whenever
// the core says that a cycle is due, which is when the leader's packet has come, or by the
// core's timer where none come.
//
// netone is only the clock. Its packets carry no sound: that goes through the two JACK clients
// of package jack, which run in the very cycle that a packet starts, so it leaves in the cycle
// in which it came, and the names that users patch stay.
package netone
