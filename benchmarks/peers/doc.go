// Command peers measures this bridge and others between the same servers in
// one run: zita-njbridge, JackTrip, jackd2's netJACK2, netone and netadapter,
// PipeWire's RTP, VBAN and netjack2-driver modules, and a control without any bridge.
//
//	go run ./benchmarks/peers [-periods 64,32,32@96000] [-seconds 60] [-repeats 3]
//	    [-systems archibald-bridge,...] [-settings N] [-skews 0,100,-100,500,-500] [-out FILE]
//	go run ./benchmarks/peers hours [-length 2h] [-stall-every 1m] [-skew 100] [-seed 1]
//	    [-latency 80frames] [-out FILE]
//
// Each bridge carries sound from a guest to a host and back; both are network
// namespaces of this machine, joined by a cable. Channel 1 carries jack_iodelay's
// signal, channel 2 a tone that is searched for gaps. Tones that stay inside a
// server are the witnesses: a gap counts against the bridge when none of them has
// one and no processor stood still at that moment (package testbed/stalls). The host's clock runs fast or slow (package testbed/skew), which the cycles
// counted on both servers confirm.
//
// hours watches the round trips of netadapter and of ours at once, between the same two
// servers, while the whole machine is made to stand still now and then.
//
// What Debian has in another suite is unpacked into the user's cache (scripts/unpack.sh);
// nothing but the usual packages is installed.
//
// Every run is added to FILE at once. The same command takes up where it was
// interrupted. It needs root.
package main
