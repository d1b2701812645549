// Package health says what is wrong with the two streams of a session, why, and what to do
// about it: from what was counted in the last seconds, and from what the peer reports.
// Pure functions of what they are told.
package health
