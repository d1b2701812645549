package session

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/signaling"
	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
)

const (
	testPeriod = 64
	testRate   = 48000
	lookahead  = 12
)

var peerAddr = netip.MustParseAddrPort("192.0.2.7:4713")

type datagram struct {
	data []byte
	addr netip.AddrPort
	ns   int64 // of its arrival, or when it was written
}

// fakeCore remembers what it is told. With flow it plays a sender and a graph
// that run on one clock.
type fakeCore struct {
	mu                   sync.Mutex
	calls                []string
	sender               *stream.SendPlan
	receiver             *stream.ReceivePlan
	sendErr, receiveErr  error
	source               netip.AddrPort
	rtcpIn, rtcpOut      []datagram
	time                 *fakeTime // nil: real time
	wroteNs              int64     // the last RTCP
	counters             stream.Counters
	observations         []stream.Observation
	idleNs               int64
	ratio                float64
	steps                int64 // periods since the flow began
	packets, playing     bool
	sends                int           // bytes of payload of each packet sent; 0: none are
	fails                syscall.Errno // of sending
	position             int64
	fraction, lateFrames float64
	sentLateNs           int64 // what packets say of themselves
	driven               audio.Graph
}

func (c *fakeCore) call(format string, args ...any) {
	c.calls = append(c.calls, fmt.Sprintf(format, args...))
}

func (c *fakeCore) SetGraph(rateHz int) { c.mu.Lock(); defer c.mu.Unlock(); c.call("graph %d", rateHz) }

func (c *fakeCore) Follow(rateHz, periodFrames int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.call("follow %d %d", rateHz, periodFrames)
	c.driven = audio.Graph{RateHz: rateHz, PeriodFrames: periodFrames}
}

func (c *fakeCore) StartSender(p stream.SendPlan) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.call("start sender")
	if c.sendErr == nil {
		c.sender = &p
	}
	return c.sendErr
}

func (c *fakeCore) StopSender() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.call("stop sender")
	c.sender = nil
}

func (c *fakeCore) StartReceiver(p stream.ReceivePlan) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.call("start receiver")
	if c.receiveErr == nil {
		c.receiver, c.playing = &p, false
	}
	return c.receiveErr
}

func (c *fakeCore) StopReceiver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.call("stop receiver")
	c.receiver, c.playing = nil, false
}

func (c *fakeCore) AcceptRTCP(from netip.Addr, ssrc uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.call("accept RTCP %s %d", from, ssrc)
	return nil
}

func (c *fakeCore) Look(on bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.call("look %v", on)
	return nil
}

func (c *fakeCore) SetRatio(ratio float64) { c.mu.Lock(); defer c.mu.Unlock(); c.ratio = ratio }

func (c *fakeCore) SeekTo(offset int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.playing, c.position, c.fraction = true, c.steps*testPeriod+offset, 0
}

func (c *fakeCore) Mute() { c.mu.Lock(); defer c.mu.Unlock(); c.playing = false }

func (c *fakeCore) Observe(buf []stream.Observation) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := copy(buf, c.observations)
	c.observations = c.observations[n:]
	return n
}

func (c *fakeCore) MediaSource() netip.AddrPort { c.mu.Lock(); defer c.mu.Unlock(); return c.source }

func (c *fakeCore) SendRTCP(packet []byte, _ netip.Addr, to netip.AddrPort) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.call("send RTCP")
	if c.time != nil {
		c.wroteNs = c.time.ns
	}
	c.rtcpOut = append(c.rtcpOut, datagram{bytes.Clone(packet), to, c.wroteNs})
	return nil
}

func (c *fakeCore) ReadRTCP(buf []byte) (int, netip.AddrPort, int64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.rtcpIn) == 0 {
		return 0, netip.AddrPort{}, 0, false
	}
	d := c.rtcpIn[0]
	c.rtcpIn = c.rtcpIn[1:]
	return copy(buf, d.data), d.addr, d.ns, true
}

func (c *fakeCore) Idle(nowNs int64) { c.mu.Lock(); defer c.mu.Unlock(); c.idleNs = nowNs }

func (c *fakeCore) LookaheadFrames() int { return lookahead }

func (c *fakeCore) Counters() stream.Counters { c.mu.Lock(); defer c.mu.Unlock(); return c.counters }

// idleTap is the tap of a core whose rings are empty. It counts how often they are asked.
type idleTap struct{ cycles, packets atomic.Int64 }

func (t *idleTap) TakeCycle(*stream.Cycle) bool          { t.cycles.Add(1); return false }
func (t *idleTap) SendCoded(stream.CodedPacket)          {}
func (t *idleTap) TakePacket(*stream.ArrivedPacket) bool { t.packets.Add(1); return false }
func (t *idleTap) DueNs(int64) (int64, bool)             { return 0, false }
func (t *idleTap) GiveBlock(stream.Block) bool           { return true }

// flow lets one period pass that began at a time: a packet came and a cycle ran.
func (c *fakeCore) flow(atNs int64) {
	c.counters.Sent.Cycles++
	c.counters.Received.Cycles++
	switch sent := &c.counters.Sent; {
	case c.sends == 0:
	case c.fails != 0:
		sent.SendErrors++
		sent.SendErrno = c.fails
	default:
		sent.Packets++
		sent.Bytes += uint64(c.sends)
	}
	if c.packets {
		c.counters.Received.Packets++
		c.observations = append(c.observations, stream.Observation{
			Kind: stream.KindPacket, Frames: 32, TimeNs: atNs + int64(c.lateFrames*1e9/testRate), Media: 1<<20 + c.steps*testPeriod,
			SendDelayNs: c.sentLateNs,
		})
	}
	c.observations = append(c.observations, stream.Observation{
		Kind: stream.KindCycle, Frames: testPeriod, TimeNs: atNs, Media: c.steps * testPeriod,
		Position: c.position, PositionFraction: c.fraction, Ratio: c.ratio, Playing: c.playing,
	})
	c.steps++
	whole, fraction := math.Modf(c.fraction + testPeriod*c.ratio)
	c.position, c.fraction = c.position+int64(whole), fraction
}

// count says how often a call was made.
func count(calls []string, call string) int {
	n := 0
	for _, c := range calls {
		if c == call {
			n++
		}
	}
	return n
}

// fakeAudio is an audio server that comes and goes.
type fakeAudio struct {
	mu     sync.Mutex
	calls  []string
	absent error
	graph  audio.Graph
	config audio.Config
	events chan audio.Event
	xruns  uint64
	policy string

	follows   bool        // its graph can be driven ...
	only      audio.Graph // ... so; the zero Graph: in any way
	own       audio.Graph // what it is when it is not
	told      audio.Graph // how it is driven
	followErr error
	// keepsLeader is why it does not get its own clock back.
	keepsLeader error

	threads audio.Threads
	slow    time.Duration // that Open takes
}

func newFakeAudio() *fakeAudio {
	return &fakeAudio{graph: audio.Graph{RateHz: testRate, PeriodFrames: testPeriod}, events: make(chan audio.Event)}
}

func (a *fakeAudio) call(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, fmt.Sprintf(format, args...))
}

func (a *fakeAudio) Open(c audio.Config) (audio.Graph, error) {
	a.call("open")
	time.Sleep(a.slow)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.config = c
	return a.graph, a.absent
}

func (a *fakeAudio) Follow(g audio.Graph) error {
	a.call("follow %d %d", g.RateHz, g.PeriodFrames)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case g == audio.Graph{} && a.keepsLeader != nil:
		return a.keepsLeader
	case g == audio.Graph{}:
		if a.told != g {
			a.graph = a.own
		}
	case a.followErr != nil:
		return a.followErr
	default:
		if a.told == (audio.Graph{}) {
			a.own = a.graph
		}
		a.graph = g
	}
	a.told = g
	return nil
}

func (a *fakeAudio) Follows() (audio.Graph, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.only, a.follows
}

func (a *fakeAudio) Graph() audio.Graph          { a.mu.Lock(); defer a.mu.Unlock(); return a.graph }
func (a *fakeAudio) Events() <-chan audio.Event  { return a.events }
func (a *fakeAudio) SetActive(active bool)       { a.call("active %v", active) }
func (a *fakeAudio) SetLatency(send, recv int)   { a.call("latency %d %d", send, recv) }
func (a *fakeAudio) RealTime() (string, int)     { return a.policy, 5 }
func (a *fakeAudio) Threads() audio.Threads      { a.mu.Lock(); defer a.mu.Unlock(); return a.threads }
func (a *fakeAudio) Xruns() uint64               { return a.xruns }
func (a *fakeAudio) set(change func(*fakeAudio)) { a.mu.Lock(); defer a.mu.Unlock(); change(a) }

func (a *fakeAudio) Close() error {
	a.call("close")
	return nil
}

func (a *fakeAudio) called() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.calls...)
}

// fakeMachine remembers what it is told.
type fakeMachine struct {
	mu        sync.Mutex
	streaming []bool
	tended    audio.Threads // the last
	status    status.Machine
}

func (m *fakeMachine) SetStreaming(s bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.streaming = append(m.streaming, s)
}

func (m *fakeMachine) Tend(t audio.Threads) { m.mu.Lock(); defer m.mu.Unlock(); m.tended = t }

func (m *fakeMachine) Status() status.Machine { m.mu.Lock(); defer m.mu.Unlock(); return m.status }

// fakeEndpoint is signaling without a network.
type fakeEndpoint struct {
	calls   []string
	session *signaling.Session
	lastErr string
	rejects signaling.Rejected
}

func (f *fakeEndpoint) Current() (signaling.Session, bool) {
	if f.session == nil {
		return signaling.Session{}, false
	}
	return *f.session, true
}
func (f *fakeEndpoint) Status() signaling.Status     { return signaling.Status{LastError: f.lastErr} }
func (f *fakeEndpoint) Rejected() signaling.Rejected { return f.rejects }
func (f *fakeEndpoint) Check()                       { f.calls = append(f.calls, "check") }
func (f *fakeEndpoint) Renegotiate()                 { f.calls = append(f.calls, "renegotiate") }
func (f *fakeEndpoint) Drop(reason string) {
	f.calls, f.session = append(f.calls, "drop: "+reason), nil
}

// fakeTime stands still until it is told. Its wall clock can be stepped.
type fakeTime struct{ ns, stepNs int64 }

func (f *fakeTime) monotonicNs() int64 { return f.ns }
func (f *fakeTime) wall(ns int64) (time.Time, time.Duration) {
	return time.Unix(1_800_000_000, ns+f.stepNs), wallError
}

const wallError = 2 * time.Microsecond

// logLines is a log that can be read.
type logLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logLines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

func (l *logLines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// forgetful is a Memory as long as the program runs.
type forgetful map[string]int

func (f forgetful) Jitter(peer string) int { return f[peer] }

func (f forgetful) SetJitter(peer string, frames int, _ bool) error {
	f[peer] = frames
	return nil
}
