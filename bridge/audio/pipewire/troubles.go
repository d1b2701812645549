package pipewire

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"time"

	"archibald-bridge/bridge/audio"
)

var _ audio.Troubled = (*Server)(nil)

// muteAfter is how long the nodes may be without links in a session: a session manager
// takes its time, and one that is restarted is back soon.
const muteAfter = 2 * time.Second

// Trouble says what keeps a session mute: a graph without a session manager, where
// nobody gives nodes ports or links them, a stream that plays on nothing, or a graph that is to
// be driven by the peer and is not.
func (s *Server) Trouble() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	trouble := ""
	if s.shim != nil && s.active {
		around := C.archibald_pipewire_surroundings(s.shim)
		if trouble = s.undriven(around); trouble == "" {
			trouble = s.mute(around)
		}
	}
	if trouble == "" {
		s.muteSince = time.Time{}
		return ""
	}
	if s.muteSince.IsZero() {
		s.muteSince = time.Now()
	}
	if time.Since(s.muteSince) < muteAfter {
		return ""
	}
	return trouble
}

// undriven says why the peer's packets do not drive the graph although they are to.
func (s *Server) undriven(around C.struct_archibald_pipewire_surroundings) string {
	if !s.drives {
		return ""
	}
	if err := refusal(s.led, s.config, C.archibald_pipewire_settings(s.shim)); err != nil {
		return err.Error()
	}
	_, stream := s.names()
	switch {
	case bool(around.drives):
		return ""
	case around.driver == 0:
		return fmt.Sprintf("PipeWire does not let %s drive its graph", stream)
	}
	return fmt.Sprintf("node %d drives the graph of %s in place of it, with a priority.driver above %d (pw-cli info %d)",
		int(around.driver), stream, driverPriority, int(around.driver))
}

func (s *Server) mute(around C.struct_archibald_pipewire_surroundings) string {
	plays := s.config.ReceiveChannels > 0 && !s.options.Source
	sink, stream := s.names()
	switch {
	case bool(around.playout_linked), !plays && (bool(around.capture_linked) || bool(around.manager)):
		return ""
	case !bool(around.manager):
		return fmt.Sprintf("no session manager runs beside PipeWire: nobody gives %s and %s their ports or links them: start one (systemctl --user start wireplumber), or link them by hand",
			sink, stream)
	default:
		return fmt.Sprintf("%s plays on nothing: PipeWire has no sink, or its link was removed; wpctl status lists the sinks, pw-link links", stream)
	}
}

// WhyPeriod says which rule of PipeWire's made the period another one.
func (s *Server) WhyPeriod(asked, runs int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shim == nil {
		return ""
	}
	if s.drives { // the peer's packets force their period and rate
		if reason := s.undriven(C.archibald_pipewire_surroundings(s.shim)); reason != "" {
			return reason
		}
		return anotherHolds
	}
	return whyPeriod(asked, runs, s.config.RateHz, s.inForce().RateHz, C.archibald_pipewire_settings(s.shim))
}

const anotherHolds = "another program holds the graph there (node.force-quantum or node.lock-quantum; pw-top shows which)"

// whyPeriod: periods of settings are at the rate set, asked is at rateHz.
func whyPeriod(asked, runs, rateHz, graphHz int, settings C.struct_archibald_pipewire_settings) string {
	scaled := func(frames C.uint32_t) int {
		if settings.rate_hz == 0 {
			return int(frames)
		}
		return int(frames) * graphHz / int(settings.rate_hz)
	}
	asks := asked
	if rateHz != 0 {
		asks = asked * graphHz / rateHz // it is asked for as a time
	}
	rounded := 1
	for rounded*2 <= asks {
		rounded *= 2
	}
	least, most := scaled(settings.least_frames), scaled(settings.most_frames)
	set := func(key string, frames int) string {
		return fmt.Sprintf("; pw-metadata -n settings 0 clock.%s %d changes that until PipeWire starts again", key, frames)
	}
	switch {
	case settings.forced_frames != 0:
		return fmt.Sprintf("clock.force-quantum is set to %d", int(settings.forced_frames)) + set("force-quantum", 0)
	case asks < least && runs > asks:
		why := fmt.Sprintf("PipeWire's min-quantum is %d", int(settings.least_frames))
		if settings.in_vm {
			why += " (its rule for a VM)"
		} else {
			why += ", as its rule for a VM or its configuration says"
		}
		return why + set("min-quantum", asked)
	case most != 0 && asks > most && runs < asks:
		return fmt.Sprintf("PipeWire's max-quantum is %d", int(settings.most_frames)) + set("max-quantum", asked)
	case runs > asks:
		return anotherHolds
	case bool(settings.powers_of_two) && rounded != asks && runs == rounded && graphHz == rateHz:
		return "PipeWire rounds down to a power of two (clock.power-of-two-quantum)"
	case graphHz != rateHz:
		return fmt.Sprintf("that is for %d Hz, and the graph runs at %d Hz", rateHz, graphHz)
	}
	return "" // another program asks for less, which is no loss
}
