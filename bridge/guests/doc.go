// Package guests lets one host serve several guests at once. Each guest has a slot:
// an end of its own, with its own nodes, media socket and clocks, so that what one
// guest does touches no other. The guest's name, as its offer states it, says which
// slot is meant; its first call takes one.
//
// A slot stays its guest's when the guest is gone, and its nodes and their links
// with it, until another guest needs the slot.
package guests
