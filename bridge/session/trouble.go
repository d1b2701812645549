package session

import (
	"fmt"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
)

// audioProblems are those of an audio server that is in use. One that knows why its
// graph does not run is believed, in place of what else can be said about that.
func (e *End) audioProblems(found []status.Problem) []status.Problem {
	e.trouble = ""
	if !e.usable() {
		return found // the state of the audio server says why
	}
	server, _ := e.audio.(audio.Troubled)
	if server == nil {
		return append(found, e.unmetPeriod(func(int, int) string { return "" })...)
	}
	if e.trouble = server.Trouble(); e.trouble != "" {
		all := []status.Problem{{Code: health.AudioMute, Side: status.SideAudio, Text: e.trouble}}
		for _, p := range found {
			if p.Code != health.GraphStopped {
				all = append(all, p)
			}
		}
		found = all
	}
	return append(found, e.unmetPeriod(server.WhyPeriod)...)
}

// unmetPeriod says that the graph has not the period that was asked for. A shorter one
// is no loss, unless there is a reason to tell. That of a follower is its leader's.
func (e *End) unmetPeriod(why func(asked, runs int) string) []status.Problem {
	asked, runs := e.settings.PeriodFrames, e.graph.PeriodFrames
	if asked == 0 || asked == runs || e.session != nil && e.lock() == stream.Follows {
		return nil
	}
	text := fmt.Sprintf("%s-period %d is not met: %s runs at %d frames", e.settings.Role, asked, e.server, runs)
	if reason := why(asked, runs); reason != "" {
		text += ": " + reason
	} else if runs < asked {
		return nil
	}
	return []status.Problem{{Code: health.HostPeriod, Side: status.SideAudio, Text: text}}
}
