// Package report is the RTCP of a session (RFC 3550, section 6): the reports that an end
// writes, those of the peer, and what both together tell: the one-way latency.
package report
