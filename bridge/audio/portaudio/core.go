package portaudio

// Options are what the user chooses, beside session.AudioConfig: a device's
// number, its name or a part of that, None, or "" for the default.
type Options struct {
	OutputDevice string
	InputDevice  string
}
