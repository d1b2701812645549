package pipewire

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"archibald-bridge/bridge/audio"
)

// names are those of the sink and of the stream.
func (s *Server) names() (sink, stream string) { return audio.Names(s.config.Name, s.options.Peer) }

// describe is what a user sees in a list of devices.
func describe(what, bridge string) string {
	if bridge == "" {
		return what
	}
	return fmt.Sprintf("%s (%s)", what, bridge)
}

// properties are those a node is made with, as JSON.
func (s *Server) properties(direction C.enum_archibald_pipewire_direction, channels int) string {
	sink, stream := s.names()
	name, class, description := sink, "Audio/Sink", "Archibald "+s.options.Peer
	if direction == C.archibald_pipewire_playout {
		name, class, description = stream, "Stream/Output/Audio", "From Archibald "+s.options.Peer
		if s.options.Source {
			class = "Audio/Source"
		}
	}
	// Unique per process, and bridge; see the package comment.
	linkGroup := fmt.Sprintf("archibald-%d", os.Getpid())
	group := linkGroup + "-" + s.config.Name
	properties := s.scheduling(false)
	for key, value := range map[string]string{
		"node.name":   name,
		"media.class": class,
		// WirePlumber keeps volume, mute and target by the first of media.role,
		// application.id, application.name, media.name and node.name that a node
		// has, and so do programs for PulseAudio: it is to be this node's own.
		"media.name":       describe(description, s.config.Name),
		"node.description": describe(description, s.config.Name),
		"media.type":       "Audio",
		"node.link-group":  linkGroup,
		"node.group":       group,
		"node.virtual":     "true",
		// One data thread for both, where a process may have several (PipeWire 1.2).
		"node.loop.name": "data-loop.0",
		"node.rate":      "1/" + strconv.Itoa(s.config.RateHz),
		// The node must be there when a session comes up, without the time
		// that leaving suspension takes.
		"session.suspend-timeout-seconds": "0",
	} {
		properties[key] = value
	}
	if keepsChannels(positionsOf(s.options.Positions, channels)) {
		properties["stream.dont-remix"] = "true"
	}
	return encode(properties)
}

// scheduling are the properties that depend on whether a session is up. An idle
// node asks for the period that the graph has when nobody asks, and a frame
// more: the latency must differ for PipeWire 0.3 to take notice of the rest.
func (s *Server) scheduling(active bool) map[string]string {
	period := s.config.PeriodFrames
	if !active {
		period = max(period, s.idle) + 1
	}
	return map[string]string{
		// Or else PipeWire 0.3 stops a driver that nothing is linked to.
		"node.pause-on-idle":  strconv.FormatBool(!active || s.led == (audio.Graph{})),
		"node.always-process": strconv.FormatBool(active),
		"node.latency":        fmt.Sprintf("%d/%d", period, s.config.RateHz),
	}
}

func encode(properties map[string]string) string {
	text, err := json.Marshal(properties)
	if err != nil {
		panic(err) // a map of strings
	}
	return string(text)
}

// applyActive makes the nodes what SetActive and Follow last asked for.
func (s *Server) applyActive() error {
	drives := s.active && s.led != (audio.Graph{})
	if s.drives && !drives {
		s.release()
	}
	C.archibald_pipewire_set_session(s.shim, C.bool(s.active))
	s.schedule(C.archibald_pipewire_capture, s.scheduling(s.active), true)
	s.schedule(C.archibald_pipewire_playout, s.scheduling(s.active), s.active)
	if drives {
		return s.drive()
	}
	return nil
}

func (s *Server) schedule(direction C.enum_archibald_pipewire_direction, properties map[string]string, scheduled bool) {
	text := C.CString(encode(properties))
	defer C.free(unsafe.Pointer(text))
	C.archibald_pipewire_schedule(s.shim, direction, text, C.bool(scheduled))
}

// applyLatency publishes what SetLatency was last told.
func (s *Server) applyLatency() {
	C.archibald_pipewire_set_latency(s.shim, C.archibald_pipewire_capture, C.uint32_t(s.sendLatency))
	C.archibald_pipewire_set_latency(s.shim, C.archibald_pipewire_playout, C.uint32_t(s.receiveLatency))
}
