package report

import (
	"testing"
	"time"

	"archibald-bridge/proto"
)

const rateHz = 48000

// received is a latency in frames, known within errorFrames.
func received(frames, errorFrames float64) *Latency {
	return &Latency{Stages: Stages{Wait: frames * 1e9 / rateHz}, ErrorNs: int64(errorFrames * 1e9 / rateHz)}
}

func TestLatencyIsPublishedWhenItMovesByTwoFrames(t *testing.T) {
	var p Published
	for i, c := range []struct {
		frames float64
		told   int // 0: nothing
	}{{100, 100}, {101.4, 0}, {98.6, 0}, {102, 102}, {101, 0}, {100, 100}, {100, 0}} {
		send, receive, moved := p.Moved(rateHz, received(c.frames, 0), nil)
		if moved != (c.told != 0) || receive != c.told || send != c.told {
			t.Errorf("%d: %.1f frames: told %d, %d, %v", i, c.frames, send, receive, moved)
		}
	}
}

func TestLatencyThatIsUncertainIsPublishedWhenItMovesByMore(t *testing.T) {
	var p Published
	for i, c := range []struct {
		frames float64
		moved  bool
	}{{100, true}, {108, false}, {92, false}, {112, true}, {100, true}} {
		if _, _, moved := p.Moved(rateHz, received(c.frames, 10), nil); moved != c.moved {
			t.Errorf("%d: %.0f frames, known within 10: told %v", i, c.frames, moved)
		}
	}
}

func TestLatencyThatIsNotKnownIsPublishedAsTheOther(t *testing.T) {
	peers := &proto.Latency{OneWay: 2 * time.Millisecond}
	for name, c := range map[string]struct {
		received      *Latency
		sent          *proto.Latency
		send, receive int
	}{
		"none":   {nil, nil, 0, 0},
		"ours":   {received(80, 0), nil, 80, 80},
		"theirs": {nil, peers, 96, 96},
		"both":   {received(80, 0), peers, 96, 80},
	} {
		var p Published
		if send, receive, moved := p.Moved(rateHz, c.received, c.sent); send != c.send || receive != c.receive || moved != (c.send != 0) {
			t.Errorf("%s: told %d, %d, %v", name, send, receive, moved)
		}
	}
}

func TestWhatIsKnownForSureIsPublishedOnce(t *testing.T) {
	var p Published
	for i, c := range []struct {
		send, receive int
		moved         bool
	}{{0, 64, true}, {0, 64, false}, {0, 65, true}, {1, 65, true}, {1, 65, false}} {
		if moved := p.Set(c.send, c.receive); moved != c.moved {
			t.Errorf("%d: told %v", i, moved)
		}
	}
	if send, receive, moved := p.Moved(rateHz, received(300, 0), nil); !moved || send != 300 || receive != 300 {
		t.Errorf("measured again: %d, %d, %v", send, receive, moved)
	}
}
