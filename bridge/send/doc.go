// Package send is the direction of the stream sent: what the core is told to send, the
// codec's work where packets are coded, and what is published of it. It declares the
// interfaces of what it needs, and knows nothing of sessions.
package send
