//go:build portaudio

package portaudio

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/gordonklaus/portaudio"
)

// patience is how long a caller waits for the library, which itself waits for
// ever for a JACK server that is alive but stopped.
const patience = 2 * time.Second

var errSilent = errors.New("PortAudio does not answer")

// library is the one thread that calls PortAudio: it knows no other threads, and
// some of its host APIs want to end where they began.
type library struct {
	start sync.Once
	work  chan func()
}

var lib = library{work: make(chan func())}

// call runs f on the library's thread, after everything before, and returns nil
// when f has returned. After patience it returns errSilent instead; f goes on
// running by itself if its turn had come.
func (l *library) call(f func()) error {
	l.start.Do(func() { go l.serve() })
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	done := make(chan struct{})
	select {
	case l.work <- func() { defer close(done); f() }:
	case <-deadline.C:
		return errSilent
	}
	select {
	case <-done:
		return nil
	case <-deadline.C:
		return errSilent
	}
}

// serve never ends: the thread is the library's for the life of the program.
func (l *library) serve() {
	runtime.LockOSThread()
	C.archibald_portaudio_block_signals()
	for f := range l.work {
		f()
	}
}

// jackServer is the variable that says which JACK server a program means.
const jackServer = "JACK_DEFAULT_SERVER"

// initialize finds the devices again. It is for the library's thread, and matched
// by terminate when it succeeds.
//
// Without withJACK, PortAudio finds no JACK server. One that dies while the
// library is its client has Pa_Terminate end the process by a failed assertion,
// whichever device is in use (seen with 19.6; the later source is the same).
func initialize(withJACK bool) ([]Device, error) {
	C.archibald_portaudio_silence()
	if !withJACK {
		server, set := os.LookupEnv(jackServer)
		_ = os.Setenv(jackServer, "none for archibald-bridge")
		defer func() {
			if _ = os.Unsetenv(jackServer); set {
				_ = os.Setenv(jackServer, server)
			}
		}()
	}
	if err := portaudio.Initialize(); err != nil {
		return nil, fmt.Errorf("PortAudio: %w", err)
	}
	devices, err := list()
	if err != nil {
		terminate()
		return nil, fmt.Errorf("PortAudio: %w", err)
	}
	return devices, nil
}

func terminate() { _ = portaudio.Terminate() }

func list() ([]Device, error) {
	infos, err := portaudio.Devices()
	if err != nil {
		return nil, err
	}
	// An error is that there is no such device.
	play, _ := portaudio.DefaultOutputDevice()
	record, _ := portaudio.DefaultInputDevice()
	devices := make([]Device, len(infos))
	for number, info := range infos {
		devices[number] = Device{
			Number: number, Name: info.Name, HostAPI: info.HostApi.Name,
			Inputs: info.MaxInputChannels, Outputs: info.MaxOutputChannels,
			RateHz:       int(math.Round(info.DefaultSampleRate)),
			DefaultInput: info == record, DefaultOutput: info == play,
			InputOfAPI: info == info.HostApi.DefaultInputDevice, OutputOfAPI: info == info.HostApi.DefaultOutputDevice,
			inputLatency: info.DefaultLowInputLatency, outputLatency: info.DefaultLowOutputLatency,
		}
	}
	return devices, nil
}

// Devices lists what PortAudio finds now.
func Devices() (devices []Device, err error) {
	silent := lib.call(func() {
		if devices, err = initialize(true); err == nil {
			terminate()
		}
	})
	if silent != nil {
		return nil, silent
	}
	return devices, err
}
