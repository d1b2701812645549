// Package guest is the guest end: JACK, where SuperCollider is. It chooses the
// audio server, keeps the user's connections, and hands everything else to
// bridge/session.
package guest
