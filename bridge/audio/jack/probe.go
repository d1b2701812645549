package jack

// #include <stdlib.h>
// #include "probe.h"
import "C"

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"
)

// Probe is a JACK client with the ports out and in that plays a sound and
// records what comes back. One goroutine may use it, in a process that has no
// Server. Its calls wait for a server that is alive but does not answer.
type Probe struct {
	probe  *C.struct_archibald_jack_probe
	server string
}

// OpenProbe joins a JACK server, inactive. The error wraps
// audio.ErrServerAbsent when there is no server of that name.
func OpenProbe(server, name string) (*Probe, error) {
	cServer, cName := C.CString(server), C.CString(name)
	defer C.free(unsafe.Pointer(cServer))
	defer C.free(unsafe.Pointer(cName))
	// jackd2 refuses a client now and then while another one is leaving.
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		var failure C.struct_archibald_jack_error
		probe := C.archibald_jack_probe_open(cServer, cName, &failure)
		stale := staleClient()
		if probe != nil && stale == "" {
			return &Probe{probe, server}, nil
		}
		reason := said(&failure)
		if probe != nil {
			C.archibald_jack_probe_close(probe)
			reason = stale + " is held although its client has left"
		}
		switch {
		case failure.failure == C.archibald_jack_absent:
			return nil, here().whyAbsent(server, said(&failure))
		case failure.failure == C.archibald_jack_taken:
			return nil, fmt.Errorf("JACK server %q already has a client %q", server, name)
		case time.Now().After(deadline):
			return nil, fmt.Errorf("JACK server %q refused client %q: %s%s", server, name, reason, here().foreign(server))
		}
	}
}

// said is libjack's message on one line.
func said(failure *C.struct_archibald_jack_error) string {
	return oneLine(C.GoString(&failure.message[0]))
}

// Graph returns the server's name, rate and period.
func (p *Probe) Graph() (server string, rateHz, periodFrames int) {
	return p.server, int(C.jack_get_sample_rate(p.probe.client)), int(C.jack_get_buffer_size(p.probe.client))
}

// Start plays the sound in a circle from out and records from in, both
// beginning in the same cycle, until a number of frames is recorded. It is
// called once.
func (p *Probe) Start(sound []float32, frames int) error {
	var failure C.struct_archibald_jack_error
	if C.archibald_jack_probe_start(p.probe, (*C.float)(&sound[0]), C.uint64_t(len(sound)), C.uint64_t(frames), &failure) != 0 {
		return fmt.Errorf("JACK server %q: %s", p.server, said(&failure))
	}
	return nil
}

// Heard is what has been recorded since Start. It is C memory, gone after Close.
func (p *Probe) Heard() []float32 {
	return unsafe.Slice((*float32)(p.probe.heard), int(C.archibald_jack_probe_heard_frames(p.probe)))
}

// Lost tells whether the server is gone.
func (p *Probe) Lost() bool { return C.archibald_jack_probe_lost(p.probe) != 0 }

// Behind is how far what is recorded lags behind the time since Start. It grows by
// what the server loses.
func (p *Probe) Behind() time.Duration {
	return time.Duration(C.archibald_jack_probe_behind_ns(p.probe))
}

// Freewheeled tells whether the server has run cycles that were not in real time, as
// for an export.
func (p *Probe) Freewheeled() bool { return C.archibald_jack_probe_freewheeled(p.probe) != 0 }

// Xruns counts what the server reported.
func (p *Probe) Xruns() uint64 { return uint64(C.archibald_jack_probe_xruns(p.probe)) }

// Connections lists the ports that a port, of any client, is connected to.
func (p *Probe) Connections(port string) ([]string, error) {
	name := C.CString(port)
	defer C.free(unsafe.Pointer(name))
	handle := C.jack_port_by_name(p.probe.client, name)
	if handle == nil {
		return nil, fmt.Errorf("JACK server %q has no port %s: is its program running?", p.server, port)
	}
	list := C.jack_port_get_all_connections(p.probe.client, handle)
	if list == nil {
		return nil, nil
	}
	defer C.jack_free(unsafe.Pointer(list))
	var peers []string
	for at := list; *at != nil; at = (**C.char)(unsafe.Add(unsafe.Pointer(at), unsafe.Sizeof(*at))) {
		peers = append(peers, C.GoString(*at))
	}
	return peers, nil
}

// Connect connects two ports, or finds them connected.
func (p *Probe) Connect(source, sink string) error {
	cSource, cSink := C.CString(source), C.CString(sink)
	defer C.free(unsafe.Pointer(cSource))
	defer C.free(unsafe.Pointer(cSink))
	if code := C.jack_connect(p.probe.client, cSource, cSink); code != 0 && code != C.int(syscall.EEXIST) {
		return fmt.Errorf("JACK refuses to connect %s -> %s", source, sink)
	}
	return nil
}

// Disconnect undoes a Connect.
func (p *Probe) Disconnect(source, sink string) error {
	cSource, cSink := C.CString(source), C.CString(sink)
	defer C.free(unsafe.Pointer(cSource))
	defer C.free(unsafe.Pointer(cSink))
	if C.jack_disconnect(p.probe.client, cSource, cSink) != 0 {
		return fmt.Errorf("JACK refuses to disconnect %s -> %s", source, sink)
	}
	return nil
}

// Close leaves the server, dead or alive.
func (p *Probe) Close() {
	C.archibald_jack_probe_close(p.probe)
	p.probe = nil
}
