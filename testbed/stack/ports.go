package stack

import (
	"strings"
	"time"
)

// The calls on JACK ports below start a program that joins the server and
// leaves it. jackd2 refuses clients that join at that moment: call them
// seldom, and never while something else is starting.

// JackPorts lists the ports of a JACK server, as "client:port".
func (s *Stack) JackPorts(server string) ([]string, error) {
	text, err := s.output("jack_lsp", "-s", server)
	return lines(text), err
}

// JackConnect connects an output port to an input port. It tries for five
// seconds. Ports that are connected already are fine.
func (s *Stack) JackConnect(server, from, to string) error {
	return insist(func() error {
		text, err := s.output("jack_connect", "-s", server, from, to)
		if err != nil && strings.Contains(text, "already connected") {
			return nil
		}
		return err
	})
}

// JackDisconnect parts an output port from an input port. It tries for five seconds.
func (s *Stack) JackDisconnect(server, from, to string) error {
	return insist(func() error {
		_, err := s.output("jack_disconnect", "-s", server, from, to)
		return err
	})
}

// PipeWirePorts lists all ports, as "node:port" with the node's name.
func (s *Stack) PipeWirePorts() ([]string, error) {
	text, err := s.output("pw-link", "-io")
	return lines(text), err
}

// PipeWireLinks lists the links as pairs of ports, output then input.
func (s *Stack) PipeWireLinks() ([][2]string, error) {
	text, err := s.output("pw-link", "-l")
	var links [][2]string
	port := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if to, ok := strings.CutPrefix(line, "  |-> "); ok {
			links = append(links, [2]string{port, to})
		} else if !strings.HasPrefix(line, " ") {
			port = line
		}
	}
	return links, err
}

// PipeWireConnect links an output port to an input port. It tries for five
// seconds. A link that exists is fine.
func (s *Stack) PipeWireConnect(from, to string) error {
	return insist(func() error {
		_, err := s.output("pw-link", from, to)
		if err != nil && strings.Contains(err.Error(), "File exists") {
			return nil
		}
		return err
	})
}

// PipeWireDisconnect removes a link.
func (s *Stack) PipeWireDisconnect(from, to string) error {
	_, err := s.output("pw-link", "-d", from, to)
	return err
}

func insist(try func() error) error {
	var err error
	for range 10 {
		if err = try(); err == nil {
			return nil
		}
		time.Sleep(500 * time.Millisecond)
	}
	return err
}

func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}
