// Package proto is what is said on port 4713: RTP payload formats, the SDP
// offer and answer, and RTCP reports. It does no I/O, uses no cgo and imports
// nothing else of this project.
package proto
