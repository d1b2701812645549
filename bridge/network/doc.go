// Package network waits for what an end needs of the machine's network, and follows
// it: an address to listen on, an interface, the groups joined there. None of them is
// there for good. Interfaces are made again under another index, links go down, addresses
// change, and a machine that starts has none of them yet.
package network
