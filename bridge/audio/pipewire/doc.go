// Package pipewire is an end's audio server on PipeWire: the sink
// archibald-to-guest, whose sound goes to the peer, and the stream (or source)
// archibald-from-guest, which plays the peer's. On a guest they are the sink
// archibald-to-host and the source archibald-from-host: what the host plays is for a
// program to record, not for speakers.
//
// libpipewire-0.3 is loaded when a Server is first opened, so a program that
// contains this package starts without it. Samples go from PipeWire's data
// thread to the core in C; Go makes the nodes, changes them and hears of what
// happens through an eventfd.
//
// Both nodes belong to one node.group, so one driver schedules them and a link
// from one to the other costs no period. All nodes of a process belong to one
// node.link-group, so no session manager links any of them to each other by itself. While a session is up
// they are processed even when nothing is linked; without one the stream is
// not scheduled, and the sink takes sound and drops it, at whatever period the
// rest of the graph has: a game that plays into it must not stand still.
//
// The peer's packets can drive the graph (Server.Follow). The node of playout then becomes its
// driver and keeps its links. Sinks and sources with a clock of their own that are linked to
// it become PipeWire's to adapt: they follow ours. The quantum and the rate are the peer's (node.force-quantum, node.force-rate), whatever the server's
// min-quantum and allowed-rates are; only what the server itself is forced to goes before.
// Socket and timer are on PipeWire's data thread, which reads the packet, starts the cycle,
// and sends the answer.
//
// A session manager that dies and comes back is reported as audio.Lost, once it
// is back: only nodes that are new to it are linked and offered to the user.
package pipewire
