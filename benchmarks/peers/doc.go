// Command peers measures this bridge and others between the same servers in
// one run: zita-njbridge, JackTrip, netJACK2, netone and PipeWire's RTP modules,
// and a control without any bridge.
//
//	go run ./benchmarks/peers [-periods 64,32] [-seconds 60] [-repeats 3]
//	    [-systems archibald-bridge,...] [-skews 0,100,-100,500,-500] [-out FILE]
//
// Each bridge carries sound from a guest to a host and back; both are network
// namespaces of this machine, joined by a cable. Channel 1 carries jack_iodelay's
// signal, channel 2 a tone that is searched for gaps. Tones that stay inside a
// server are the witnesses: a gap counts against the bridge when none of them has
// one. The host's clock runs fast or slow (package testbed/skew), which the cycles
// counted on both servers confirm.
//
// Every run is added to FILE at once. The same command takes up where it was
// interrupted. It needs root.
package main
