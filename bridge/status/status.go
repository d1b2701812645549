package status

// Version is the version of this program. The linker sets it; "dev" is a build
// without one.
var Version = "dev"

// SchemaVersion is the version of the JSON. It grows when a key goes, or changes its
// meaning or unit; a new key does not change it.
const SchemaVersion = 1

// Status is the state of one end at one moment. Counters count since the session
// began, the newest one where there is none now; totals since the program started.
type Status struct {
	SchemaVersion int        `json:"schema_version"` // SchemaVersion, filled in when it is encoded
	End           string     `json:"end"`            // "guest" or "host"
	Version       string     `json:"version"`
	UptimeSeconds float64    `json:"uptime_seconds"`
	CPUSeconds    float64    `json:"cpu_seconds"` // processor time used by the program; the status server fills it in
	Name          string     `json:"name"`        // of the bridge; "" where there is only one
	Audio         Audio      `json:"audio"`
	Machine       Machine    `json:"machine"`
	Session       Session    `json:"session"`
	Directions    Directions `json:"directions"`
	Problems      []Problem  `json:"problems"` // what is wrong now; empty: nothing that is known
	// Guests are the ends of a host that serves several guests, of whom it has
	// Slots: then Directions are idle, and Audio and Machine are of the last guest.
	Guests []Status `json:"guests"`
	Slots  int      `json:"slots"` // 0: it is one end
}

// State is what an audio server, a session or a direction is doing.
type State string

// The states of Audio.
const (
	AudioUnused  State = "unused"  // no guest has needed it yet
	AudioAbsent  State = "absent"  // the server is not there; waiting for it
	AudioRunning State = "running" // both nodes are in the graph
	// AudioFreewheel: they are, and it runs as fast as it can, for an export. Silence.
	AudioFreewheel State = "freewheel"
	AudioWaiting   State = "waiting" // they are, but not at the rate asked for; waiting for that
)

// The states of Session.
const (
	SessionWaiting State = "waiting" // no answer yet, or the peer is gone
	SessionUp      State = "up"      // both ends have agreed, and every direction that they agreed on can work
	SessionFailed  State = "failed"  // agreed, but a direction cannot work here; tried again
	SessionStatic  State = "static"  // none: the peer is a plain RTP address
)

// The states of Direction.
const (
	DirectionIdle    State = "idle"    // nothing to send to or receive from
	DirectionRunning State = "running" // packets flow
	DirectionSilent  State = "silent"  // no packet for 1 s although they were agreed
	DirectionFailed  State = "failed"  // it cannot work here; the session or a problem says why
)

// Audio is the audio server of this end.
type Audio struct {
	Server       string `json:"server"` // its kind and name: "jack default", "pipewire"
	State        State  `json:"state"`  // unused, absent, waiting, running or freewheel
	Reason       string `json:"reason"` // why it is absent or waits; "" otherwise
	Rate         int    `json:"rate"`   // Hz; 0 while absent
	PeriodFrames int    `json:"period_frames"`
	Xruns        uint64 `json:"xruns"` // as the server reported them, since the session began
	XrunsTotal   uint64 `json:"xruns_total"`
	Realtime     bool   `json:"realtime"` // the audio threads have real-time scheduling
}

// Machine is what the operating system gives this end for steady sound.
type Machine struct {
	CPUAwake     bool   `json:"cpu_awake"`     // the processors are kept from sleeping
	MemoryLocked bool   `json:"memory_locked"` // the core's memory cannot be paged out
	CPUs         string `json:"cpus"`          // where the audio threads were told to run, "2,3"; "" anywhere
	RealtimeBy   string `json:"realtime_by"`   // who made the audio threads real-time; "" nobody
}

// The values of Machine.RealtimeBy, in the order in which they are tried.
const (
	RealtimeByServer = "audio server" // they were so before anything was tried
	RealtimeByRights = "own rights"   // CAP_SYS_NICE or the rtprio limit
	RealtimeByKit    = "RealtimeKit"
)

// Session is the agreement with the peer.
type Session struct {
	State      State  `json:"state"`      // waiting, up, failed or static
	Peer       string `json:"peer"`       // HOST:PORT; "" while unknown
	ID         string `json:"id"`         // tells it from others, and is not what signaling knows it by; "" while there is none
	LastError  string `json:"last_error"` // one line; "" when there was none
	Reconnects uint64 `json:"reconnects"` // sessions that followed an earlier one
	// Locked is Leads or Follows where one end's cycles drive the other end's graph; "": each has
	// its own clock. AnswerPeriods is in how many periods the follower's sound must be back, as
	// an end that leads wants it; else 0.
	Locked        string `json:"locked"`
	AnswerPeriods int    `json:"answer_periods"`

	RejectedCalls RejectedCalls `json:"rejected_calls"` // of a host of several guests: its own, not a guest's
}

// The values of Session.Locked.
const (
	Leads   = "leads"
	Follows = "follows"
)

// Directions are the two streams, as seen from this end.
type Directions struct {
	Send    Direction `json:"send"`
	Receive Direction `json:"receive"`
}

// Direction is one stream. Both directions have the same fields. In send, Lost
// is what the peer last reported by RTCP, 0 before; JitterUs, Late, Duplicate,
// Rejected, Recovered, ConcealedFrames, Dropouts, BufferFrames, BufferTargetFrames
// and RatioPPM describe the receiving end and are 0. SendErrors is 0 in receive.
type Direction struct {
	State        State  `json:"state"`         // idle, running, silent or failed
	Peer         string `json:"peer"`          // where the media goes to or comes from, ADDRESS:PORT
	Format       string `json:"format"`        // L16, L24 or F32; "" while idle
	Channels     int    `json:"channels"`      // 0 while idle
	Rate         int    `json:"rate"`          // of the stream, in Hz
	PacketFrames int    `json:"packet_frames"` // frames per packet

	Counts        // since the session began
	Total  Counts `json:"total"` // since the program started

	BufferFrames       float64 `json:"buffer_frames"` // of the stream, now waiting to be played
	BufferTargetFrames float64 `json:"buffer_target_frames"`
	RatioPPM           float64 `json:"ratio_ppm"` // resampling in force, beside what Rate and Audio.Rate differ by: how much faster the sender's clock is; between equal rates 0: none, bit for bit

	JitterUs  Jitter  `json:"jitter_us"`
	LatencyMs Latency `json:"latency_ms"`
	// LatencyErrorMs is the most that LatencyMs.Bridge can be off; not known: the
	// way over the network is not in it.
	LatencyErrorMs  Milliseconds `json:"latency_error_ms"`
	LatencyBy       string       `json:"latency_by"`        // how the way was measured; "" while it is not
	LatencyReason   string       `json:"latency_reason"`    // why auto changed it last, and what that costs and buys; "": it did not
	LatencyStagesMs Stages       `json:"latency_stages_ms"` // their sum is LatencyMs.Bridge; of what is received only

	PeakDBFS []Decibels `json:"peak_dbfs"` // per channel, the highest of about the last second
}

// Jitter is how late packets came against the sender's clock line, in
// microseconds.
type Jitter struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Latency is one-way latency. Bridge is from the sender's audio callback to the
// receiver's callback for the same frame, resampler included. Total adds what
// both audio servers say they add.
type Latency struct {
	Bridge Milliseconds `json:"bridge"`
	Total  Milliseconds `json:"total"`
}

// How the way over the network was measured.
const (
	LatencyByRoundTrip = "round trip" // half of that of a pair of reports
	LatencyByHostClock = "host clock" // both ends read the host's (ptp_kvm)
	LatencyByPeer      = "peer"       // the peer says so
)

// Stages say where a frame's time goes; docs/latency.md defines them.
type Stages struct {
	Capture  Milliseconds `json:"capture"`  // sender's cycle begins -> its packet is made; null: not said, and in wire
	Packet   Milliseconds `json:"packet"`   // of Opus: what fills a packet beyond a period of the sender
	Codec    Milliseconds `json:"codec"`    // of Opus: what the codec looks ahead
	Wire     Milliseconds `json:"wire"`     // -> the receiver's kernel has it; of Opus, -> it is decoded
	Wait     Milliseconds `json:"wait"`     // for packets that are later
	Resample Milliseconds `json:"resample"` // what the resampler looks ahead
	Playout  Milliseconds `json:"playout"`  // the receiver's period
}

// Source returns the present state. It is called from any goroutine.
type Source func() Status
