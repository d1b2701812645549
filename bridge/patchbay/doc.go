// Package patchbay keeps wanted connections between audio ports: it applies rules
// such as
//
//	SuperCollider:out_* -> archibald-to-host:in_*
//
// whenever ports come and go, without fighting the user over a connection that
// was removed by hand.
package patchbay
