// Package receive is the direction of the stream received: what the core is told to
// take, the codec's work where packets are coded, the steering of the playout position by
// the sender's clock, and what was learned about the peer's jitter. It declares the
// interfaces of what it needs, and knows nothing of sessions.
package receive
