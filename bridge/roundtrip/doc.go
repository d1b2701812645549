// Package roundtrip measures a path through an audio server by its sound: it plays
// noise that it knows into the path and finds out, window by window, how much
// later that noise comes back, and whether it comes back whole.
//
// It works on positions in one stream of frames and knows no audio server: the
// Client that plays and records is C (bridge/audio/jack).
package roundtrip
