// Package jack connects a bridge end to a JACK server with two JACK clients:
// archibald-to-host takes sound out of the graph, archibald-from-host brings
// sound into it; on the host they are archibald-to-guest and
// archibald-from-guest. One client for both would close a loop around everything
// patched between its outputs and its inputs, and JACK pays a loop with one
// period of latency.
//
// The process callbacks are C and call the real-time core through function
// pointers; Go opens, closes, and hears what the server reports.
//
// A server whose driver is netone has no clock: this end drives its cycles (package netone), and both
// clients run in them as in any.
//
// A Probe is a client of another kind: it measures a path by its sound, in a
// process of its own (archibald-bridge bench).
//
// libjack2 keeps its state per process: a process can use one server at a
// time, and all its clients, those of others included, must be closed before
// one is opened again (see Control).
package jack
