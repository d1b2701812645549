// Package realtime asks Linux for what steady sound needs: processors that stay
// awake while there is a session, and audio threads with a real-time priority,
// on the processors that were named for them. What it is refused it tells once,
// with the remedy; the bridge runs without.
package realtime
