// Package portaudio is a host's audio device by way of PortAudio, for machines
// without PipeWire and JACK: ALSA on Linux, in principle Core Audio and WASAPI.
// It implements audio.Server.
//
// PortAudio calls C that calls the real-time core: no Go runs on its audio
// thread. github.com/gordonklaus/portaudio starts and ends the library and lists
// the devices. Everything that needs the library is behind the build tag
// portaudio; without it, Built is false.
package portaudio
