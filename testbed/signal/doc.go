// Package signal judges recorded sound against what was played: pitch and
// level of a tone, leaks from another one, every discontinuity of a sine, and
// bit-exactness of pseudo-random noise. It can also plant faults, so that a
// test can show that its judge finds them.
//
// Levels are in dBFS of a sine: a peak of 1.0 is 0 dBFS.
package signal
