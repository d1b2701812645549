package pipewire

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"archibald-bridge/bridge/audio"
)

var _ audio.Follower = (*Server)(nil)

// driverPriority is above those of sound cards and network drivers, whose nodes then follow
// ours, and below that of PipeWire 1's driver for exports (freewheeling).
const driverPriority = 100000

// Follow makes the node of playout the driver of the graph while a session is up, and the
// packets what starts its cycles. The nodes, and what users linked to them, stay, unless the
// peer's graph becomes another while it drives them: then they are made again.
func (s *Server) Follow(graph audio.Graph) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if graph != (audio.Graph{}) {
		if !s.canFollow() {
			return errors.New("this program's core cannot follow another graph")
		}
		if err := legal(graph); err != nil {
			return err
		}
		if s.shim != nil {
			if err := refusal(graph, s.config, C.archibald_pipewire_settings(s.shim)); err != nil {
				return err
			}
		}
	}
	again := s.drives && graph != (audio.Graph{}) && s.led != graph
	s.led = graph
	switch {
	case s.shim == nil:
		return nil
	case again: // PipeWire 0.3 negotiates no formats for a driver that stays the driver
		s.close()
		return s.connect(s.config)
	}
	return s.applyActive()
}

// Follows is false for a core that cannot follow and for nodes that only send or only
// receive.
func (s *Server) Follows() (only audio.Graph, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.canFollow() {
		return audio.Graph{}, false
	}
	if s.shim == nil {
		return audio.Graph{}, true
	}
	settings := C.archibald_pipewire_settings(s.shim)
	if settings.forced_rate_hz != 0 && settings.forced_frames != 0 {
		only = audio.Graph{RateHz: int(settings.forced_rate_hz), PeriodFrames: int(settings.forced_frames)}
	}
	return only, s.config.SendChannels > 0 && s.config.ReceiveChannels > 0
}

func (s *Server) canFollow() bool { return s.core.Follow != nil && s.core.Socket >= 0 }

func legal(graph audio.Graph) error {
	backend, _ := audio.Named(audio.PipeWire)
	if graph.PeriodFrames < backend.LeastPeriodFrames || graph.PeriodFrames > backend.MostPeriodFrames {
		return fmt.Errorf("period of %d frames: PipeWire can follow one of %d to %d", graph.PeriodFrames, backend.LeastPeriodFrames, backend.MostPeriodFrames)
	}
	if graph.RateHz < 8000 || graph.RateHz > 384000 {
		return fmt.Errorf("rate of %d Hz: PipeWire can follow one of 8000 to 384000", graph.RateHz)
	}
	return nil
}

// refusal is why the peer's packets cannot drive these nodes. What the server is forced to goes before
// what a node forces; its min-quantum, max-quantum and allowed-rates do not.
func refusal(graph audio.Graph, config audio.Config, settings C.struct_archibald_pipewire_settings) error {
	var forced []string
	force := func(what string, to C.uint32_t, wanted int, unit string) {
		if to != 0 && int(to) != wanted {
			forced = append(forced, fmt.Sprintf("PipeWire's clock.force-%s is set to %d, and the peer's graph runs at %d%s; pw-metadata -n settings 0 clock.force-%s 0 lets go of it", what, int(to), wanted, unit, what))
		}
	}
	force("rate", settings.forced_rate_hz, graph.RateHz, " Hz")
	force("quantum", settings.forced_frames, graph.PeriodFrames, " frames")
	switch {
	case config.SendChannels == 0 || config.ReceiveChannels == 0:
		return fmt.Errorf("channels to send %d, to receive %d: a graph that the peer drives needs at least 1 of each", config.SendChannels, config.ReceiveChannels)
	case len(forced) > 0:
		return errors.New(strings.Join(forced, "; "))
	case rounds(settings) && graph.PeriodFrames&(graph.PeriodFrames-1) != 0:
		return fmt.Errorf("period of %d frames: this PipeWire rounds it down to a power of two; clock.power-of-two-quantum = false in its context.properties, or PipeWire 0.3.70, lets it be", graph.PeriodFrames)
	}
	return nil
}

// rounds says whether the quantum that a node forces is rounded down to a power of two.
func rounds(settings C.struct_archibald_pipewire_settings) bool {
	return bool(settings.corrects_drivers) && bool(settings.powers_of_two)
}

// drive makes playout's node the driver.
func (s *Server) drive() error {
	properties := C.CString(encode(map[string]string{
		"node.driver":        "true",
		"priority.driver":    strconv.Itoa(driverPriority),
		"node.force-quantum": strconv.Itoa(s.led.PeriodFrames),
		"node.force-rate":    strconv.Itoa(s.led.RateHz),
	}))
	defer C.free(unsafe.Pointer(properties))
	graph := C.struct_archibald_pipewire_graph{C.uint32_t(s.led.RateHz), C.uint32_t(s.led.PeriodFrames)}
	if result := C.archibald_pipewire_follow(s.shim, graph, properties); result < 0 {
		return fmt.Errorf("following the peer's packets: %w", syscall.Errno(-result))
	}
	s.drives = true
	return nil
}

// release gives the graph its own clock back.
func (s *Server) release() {
	C.archibald_pipewire_follow(s.shim, C.struct_archibald_pipewire_graph{}, nil)
	s.drives = false
	s.schedule(C.archibald_pipewire_playout, map[string]string{
		"node.driver":        "false",
		"node.force-quantum": "0",
		"node.force-rate":    "0",
	}, true)
	// For PipeWire 1, 0 forces the rate of node.rate, and what is no number none.
	s.schedule(C.archibald_pipewire_playout, map[string]string{"node.force-rate": ""}, true)
}
