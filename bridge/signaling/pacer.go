package signaling

import "time"

const (
	firstWait = 20 * time.Millisecond
	longWait  = 250 * time.Millisecond
	// A session that lasted this long was a success: the next call is made at
	// once. After a shorter one the waits go on growing, so that two ends that
	// agree and part again do not do so thousands of times a second.
	stableAfter = time.Second
)

// pacer spaces the calls: 20 ms, doubling to 250 ms, each shortened by a random
// part of up to a half so that two ends fall out of step.
type pacer struct {
	random    func() float64 // 0 to 1
	wait      time.Duration
	notBefore time.Time
}

// called notes a call that ended now.
func (p *pacer) called(now time.Time) {
	p.wait = min(max(2*p.wait, firstWait), longWait)
	p.notBefore = now.Add(p.wait - time.Duration(p.random()*float64(p.wait/2)))
}

// delay is how long the next call has to wait.
func (p *pacer) delay(now time.Time) time.Duration { return max(0, p.notBefore.Sub(now)) }

// reset lets the next call be made at once, and the waits start again.
func (p *pacer) reset() { p.wait, p.notBefore = 0, time.Time{} }
