package report

import (
	"time"

	"archibald-bridge/proto"
)

// Published is what the graph was told of the latencies of both directions, in frames.
type Published struct{ send, receive int }

// Set takes what both are, and says whether the graph was told otherwise.
func (p *Published) Set(send, receive int) (moved bool) {
	now := Published{send, receive}
	moved = *p != now
	*p = now
	return moved
}

// Moved takes what is known now, of the stream received here and of the one sent by the
// peer's word; nil: nothing. It returns both in frames, and whether the graph is to be
// told: when one moved by two frames or more, and by more than it is uncertain. While one
// is not known, the other is the best guess.
func (p *Published) Moved(rateHz int, received *Latency, sent *proto.Latency) (send, receive int, moved bool) {
	var sendError, receiveError int
	frames := func(d time.Duration) int { return int(d.Seconds()*float64(rateHz) + 0.5) }
	if received != nil {
		receive, receiveError = frames(time.Duration(received.Stages.Sum())), frames(time.Duration(received.ErrorNs))
		send, sendError = receive, receiveError
	}
	if sent != nil {
		send, sendError = frames(sent.OneWay), frames(sent.Error)
		if receive == 0 {
			receive, receiveError = send, sendError
		}
	}
	far := func(now, published, uncertain int) bool {
		return max(now-published, published-now) >= max(2, uncertain)
	}
	if receive == 0 || !far(send, p.send, sendError) && !far(receive, p.receive, receiveError) {
		return 0, 0, false
	}
	p.send, p.receive = send, receive
	return send, receive, true
}
