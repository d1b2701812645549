// Package jacktest is for tests against a real JACK server: it starts jackd
// with the dummy driver, and stands in for the real-time core with one whose
// every sample tells where it comes from.
package jacktest
