package health

// The kinds of problems. Programs know them by these names.
const (
	SendRefused    = "send-refused"
	ReceiveRefused = "receive-refused"
	GraphStopped   = "graph-stopped"
	SendErrors     = "send-errors"
	NotHeard       = "not-heard"
	PayloadType    = "payload-type"
	WrongSource    = "wrong-source"
	WrongSSRC      = "wrong-ssrc"
	Malformed      = "malformed"
	MTU            = "mtu"
	Blocked        = "blocked"
	PeerSilent     = "peer-silent"
	NothingComes   = "nothing-comes"
	Rejected       = "rejected"
	NotRealtime    = "not-realtime"
	SenderLate     = "sender-late"
	Channels       = "channels"
	Bitrate        = "opus-bitrate"
	Ptime          = "ptime"
	Latency        = "latency"
	PeerFreewheels = "peer-freewheels"
	UnmatchedRule  = "unmatched-rule"
	AudioMute      = "audio-mute"
	HostPeriod     = "host-period"
)
