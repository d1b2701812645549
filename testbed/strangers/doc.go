// Package strangers attacks the bridge as other machines of its network can: it
// makes offers, streams sound of its own, forges goodbyes, holds connections open,
// floods, replays and alters what it saw. Host, guest and strangers are pretended
// machines on one segment; the bridge, jackd and PipeWire are real, and what the ends
// play is recorded and judged. docs/security.md says what the strangers must achieve: nothing.
package strangers
