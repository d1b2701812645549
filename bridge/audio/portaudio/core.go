package portaudio

import "unsafe"

// Core is the real-time core as PortAudio's audio thread calls it.
type Core struct {
	Engine  unsafe.Pointer // archibald_engine *, in C memory
	Playout unsafe.Pointer // archibald_playout_fn
	Capture unsafe.Pointer // archibald_capture_fn
	ABI     int            // archibald_rt_abi that the core was compiled with
}

// Options are what the user chooses, beside session.AudioConfig: a device's
// number, its name or a part of that, None, or "" for the default.
type Options struct {
	OutputDevice string
	InputDevice  string
}
