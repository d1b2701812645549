package jack

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/audio/jack/netone"
	"archibald-bridge/bridge/stream"
)

// clients is one pair of open JACK clients, and the pipe through which their C
// callbacks reach Go.
type clients struct {
	end    *C.archibald_jack
	server string
	read   *os.File
	write  int           // for C, which never waits for the reader
	watch  *audio.Watch  // nil: not started
	drive  *netone.Drive // nil: the server has a clock of its own
}

func openClients(core stream.Callbacks, server, peer string, netonePort int, config audio.Config, send, receive int) (*clients, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("JACK: pipe: %w", err)
	}
	c := &clients{
		server: server,
		read:   os.NewFile(uintptr(fds[0]), "JACK events"),
		write:  fds[1],
	}
	if netonePort != 0 {
		drive, err := netone.Open(netonePort)
		if err != nil {
			c.closeFiles()
			return nil, fmt.Errorf("JACK: %w", err)
		}
		c.drive = drive
	}

	to, from := audio.Names(config.Name, peer)
	request := C.struct_archibald_jack_request{
		server:                 C.CString(server),
		playout_client:         C.CString(from),
		capture_client:         C.CString(to),
		playout_channels:       C.uint32_t(config.ReceiveChannels),
		capture_channels:       C.uint32_t(config.SendChannels),
		receive_latency_frames: C.uint32_t(receive),
		send_latency_frames:    C.uint32_t(send),
		events:                 C.int(fds[1]),
		engine:                 (*C.archibald_engine)(core.Engine),
		playout:                core.Playout,
		capture:                core.Capture,
	}
	if c.drive != nil {
		function, argument := c.drive.Captured()
		request.captured, request.captured_arg = (*[0]byte)(function), argument
	}
	defer C.free(unsafe.Pointer(request.server))
	defer C.free(unsafe.Pointer(request.playout_client))
	defer C.free(unsafe.Pointer(request.capture_client))
	var failure C.struct_archibald_jack_error
	c.end = C.archibald_jack_open(&request, &failure)
	if c.end == nil {
		c.closeFiles()
		return nil, c.explain(&failure)
	}
	libjack.open[c] = struct{}{}
	return c, nil
}

// explain is one line for the user.
func (c *clients) explain(failure *C.struct_archibald_jack_error) error {
	client := C.GoString(&failure.client[0])
	message := oneLine(C.GoString(&failure.message[0]))
	switch failure.failure {
	case C.archibald_jack_absent:
		return here().whyAbsent(c.server, message)
	case C.archibald_jack_taken:
		return fmt.Errorf("JACK server %q already has a client %q: stop the other bridge or give this one a name of its own (--name)", c.server, client)
	}
	return fmt.Errorf("JACK server %q refused client %q: %s%s", c.server, client, message, here().foreign(c.server))
}

func (c *clients) activate() error {
	var failure C.struct_archibald_jack_error
	if C.archibald_jack_activate(c.end, &failure) != 0 {
		return c.explain(&failure)
	}
	return nil
}

// startDriving starts the thread that drives the server's netone, if there is to be one. It
// comes before every client and before the server's own thread, which has five more than its
// clients: it is short, and all of them wait for what it does.
func (c *clients) startDriving(core stream.Callbacks) error {
	if c.drive == nil {
		return nil
	}
	const aboveClients, most = 6, 99
	graph, priority := c.graph(), c.threads().Priority
	return c.drive.Start(core, netone.Graph{
		RateHz: graph.RateHz, PeriodFrames: graph.PeriodFrames, Priority: min(priority+aboveClients, most),
		Freewheels: unsafe.Pointer(C.archibald_jack_freewheels_flag(c.end)),
	})
}

// fresh fails when libjack holds on to a client that has left.
func (c *clients) fresh() error {
	if name := staleClient(); name != "" {
		return fmt.Errorf("JACK server %q: another client (semaphore %s) left at the moment this one came; trying again", c.server, name)
	}
	return nil
}

func (c *clients) graph() audio.Graph {
	return audio.Graph{
		RateHz:       int(C.archibald_jack_rate_hz(c.end)),
		PeriodFrames: int(C.archibald_jack_period_frames(c.end)),
		Freewheels:   C.archibald_jack_freewheels(c.end) != 0,
	}
}

func (c *clients) xruns() uint64 { return uint64(C.archibald_jack_xruns(c.end)) }

func (c *clients) scheduling() (policy string, priority int) {
	var number, level C.int
	if C.archibald_jack_scheduling(c.end, &number, &level) != 0 {
		return "", 0
	}
	return audio.PolicyName(int(number)), int(level)
}

// plainPriority is for the clients of a jackd that does not run in real time:
// what one with its default priority of 10 would give them (jackd(1), -P).
const plainPriority = 5

func (c *clients) threads() audio.Threads {
	var ids [2]C.int
	var priority C.int
	C.archibald_jack_threads(c.end, &ids[0], &priority)
	threads := audio.Threads{Priority: int(priority)}
	if threads.Priority < 1 {
		threads.Priority = plainPriority
	}
	for _, id := range ids {
		if id != 0 {
			threads.IDs = append(threads.IDs, int(id))
		}
	}
	if c.drive != nil && c.drive.Thread() != 0 {
		threads.IDs = append(threads.IDs, c.drive.Thread())
	}
	return threads
}

func (c *clients) intact() bool { return C.archibald_jack_intact(c.end) != 0 }

func (c *clients) noticeDeletion() { C.archibald_jack_notice_deletion(c.end) }

func (c *clients) setLatency(send, receive int) {
	C.archibald_jack_set_latency(c.end, C.uint32_t(send), C.uint32_t(receive))
	C.archibald_jack_recompute_latencies(c.end)
}

// startWatching begins to turn the records of the pipe into events. known is what Open
// returned.
func (c *clients) startWatching(known audio.Graph, events chan<- audio.Event, control audio.Control) {
	c.watch = audio.StartWatch(events, func(w *audio.Watch) {
		record := make([]byte, C.archibald_jack_record_bytes)
		lost := false
		for {
			if _, err := io.ReadFull(c.read, record); err != nil {
				return // stopWatching
			}
			if control != nil {
				c.tellPorts(record, control)
			}
			if lost {
				continue
			}
			event := audio.Changed
			if now := c.graph(); C.archibald_jack_lost(c.end) != 0 {
				lost = true
				event = audio.Lost
			} else if now != known {
				known = now
			} else {
				continue
			}
			if !w.Send(event) {
				return
			}
		}
	})
}

func (c *clients) tellPorts(record []byte, control audio.Control) {
	if C.archibald_jack_take_ports_missed(c.end) != 0 {
		control.PortAppeared("")
	}
	if port, _, _ := bytes.Cut(record, []byte{0}); len(port) > 0 {
		control.PortAppeared(string(port))
	}
}

// stopWatching ends the watcher. The C callbacks may go on writing.
func (c *clients) stopWatching() {
	if c.watch != nil {
		c.watch.Stop(func() { _ = c.read.SetReadDeadline(time.Now()) }) // a pipe has deadlines
	}
}

// close closes the JACK clients, then what their callbacks used.
func (c *clients) close() {
	delete(libjack.open, c)
	if c.drive != nil {
		c.drive.Stop()
	}
	C.archibald_jack_close(c.end)
	c.closeFiles()
}

func (c *clients) closeFiles() {
	_ = c.read.Close()
	_ = unix.Close(c.write)
	if c.drive != nil {
		c.drive.Close()
	}
}

// extendFrame lets the tests, which cannot use cgo, reach the C function.
func extendFrame(anchor uint64, frame uint32) uint64 {
	return uint64(C.archibald_jack_extend(C.uint64_t(anchor), C.uint32_t(frame)))
}
