// Package stack starts real audio servers without a screen, a sound card or a
// login session, and removes every trace of them: jackd with the dummy driver,
// scsynth, PipeWire and WirePlumber with a null sink, and the bridge itself.
//
// A Stack has its own directory, its own XDG and D-Bus environment and JACK
// server names that carry this process's id, so it neither sees nor disturbs
// the user's own sound. When the calling process dies in any way, the kernel
// kills every server it started.
package stack
