package config

import "fmt"

// Source is where a configuration comes from. What is not set in either place
// has its default.
type Source struct {
	File        string             // path of a TOML file; "" for none
	Flags       Config             // wins over the file, in the keys named by Set
	Set         []string           // names of the keys set by flags
	ConnectRule func(string) error // says why a rule of Config.Connect is wrong
}

// Load returns the whole, checked configuration of one end: Config.SendChannels
// and Config.ReceiveChannels are never 0. Every error is one line that names
// the flag, or file, line and key.
func (s Source) Load(end End) (Config, error) {
	var f file
	if s.File != "" {
		var err error
		if f, err = readFile(s.File); err != nil {
			return Config{}, err
		}
	}
	return s.load(end, f)
}

func (s Source) load(end End, f file) (Config, error) {
	c := Default(end)
	origins := map[string]string{}
	if err := f.apply(&c, origins); err != nil {
		return Config{}, err
	}
	for _, name := range s.Set {
		key, exists := findKey(name)
		if !exists {
			return Config{}, fmt.Errorf("no key %q", name)
		}
		key.field(&c).Set(key.field(&s.Flags))
		origins[name] = "--" + name
	}
	c.complete()
	if _, listens := origins["listen"]; !listens {
		c.listenWide()
	}
	if c.SecretFile != "" {
		var err error
		if c.Secret, err = readSecret(c.SecretFile); err != nil {
			key, _ := findKey("secret-file")
			return Config{}, &Error{Where: origins["secret-file"], Value: c.SecretFile, Legal: fmt.Sprintf("%s (%v)", key.Legal, err)}
		}
	}
	if c.SDPIn != "" {
		_, listens := origins["listen"]
		if err := c.readIncoming(listens); err != nil {
			key, _ := findKey("sdp-in")
			return Config{}, &Error{Where: origins["sdp-in"], Value: c.SDPIn, Legal: fmt.Sprintf("%s (%v)", key.Legal, err)}
		}
	}
	if f := c.fault(s.ConnectRule); f != nil {
		where, set := origins[f.key]
		if !set {
			where = f.key
		}
		return Config{}, &Error{Where: where, Value: f.value, Legal: f.legal}
	}
	return c, nil
}

// Check reads a file and returns the first error in it, for the end whose table
// it has, or for both ends.
func Check(path string, connectRule func(string) error) error {
	f, err := readFile(path)
	if err != nil {
		return err
	}
	for _, end := range f.ends() {
		if _, err := (Source{ConnectRule: connectRule}).load(end, f); err != nil {
			return err
		}
	}
	return nil
}
