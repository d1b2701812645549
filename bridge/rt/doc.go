// Package rt is the real-time core and its thin Go face. The core is C: it
// moves samples between an audio server's callbacks and the media socket,
// through lock-free rings, without allocating, locking, logging or calling Go.
// Everything it needs to be told comes in as a plan; everything it has seen
// comes out as observations and counters.
//
// The C files, in the order of a sample's way: engine.c (what the callbacks
// call), sender.c, wire.c, socket.c, receiver.c, sequence.c, playout.c, jitter.c, predict.c, resample.c;
// mediaclock.c counts graph time; rings.c carries records to Go; sound.c carries what
// control encodes and decodes; lifetime.c is all that allocates. archibald_rt.h is the contract with the audio shims.
package rt
