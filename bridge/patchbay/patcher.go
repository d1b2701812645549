package patchbay

import (
	"errors"
	"fmt"
	"sync"
)

// Port is an audio port.
type Port struct {
	Name   string // client:port
	Source bool   // sound comes out of it
}

// Connection is a pair of ports, by name.
type Connection struct{ Source, Sink string }

// String is the connection as a rule without stars.
func (c Connection) String() string { return c.Source + " -> " + c.Sink }

// Graph is what a Patcher needs of an audio server.
type Graph interface {
	// Ports lists all audio ports.
	Ports() ([]Port, error)
	// Connect connects two ports; it succeeds when they already are.
	Connect(source, sink string) error
}

// Patcher makes the connections its rules want, each one once for as long as
// both its ports exist.
//
// So what the user does in between stays: a connection that was removed by
// hand is not made again, and no other connection is ever touched. When one of
// its ports disappears and comes back, because SuperCollider was restarted,
// the connection is new and is made again.
type Patcher struct {
	rules     []Rule
	unmatched []Unmatched // at the last Apply

	mu   sync.Mutex
	made map[Connection]struct{} // both ports have existed ever since
}

// NewPatcher returns a Patcher that has made no connection yet.
func NewPatcher(rules []Rule) *Patcher {
	return &Patcher{rules: rules, made: map[Connection]struct{}{}}
}

// Appeared says that a port of that name is new, even if one of the same name
// was there at the last Apply. "" says so of every port. It never waits for the
// graph and may be called while Apply runs; another Apply must follow.
func (p *Patcher) Appeared(port string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for connection := range p.made {
		if port == "" || connection.Source == port || connection.Sink == port {
			delete(p.made, connection)
		}
	}
}

// Apply makes what is wanted and not yet made, and returns what it made. It
// may be called at any time, from one goroutine. A connection that the server
// refuses does not stop the others; it is in the error, and the next Apply
// tries it again.
func (p *Patcher) Apply(graph Graph) ([]Connection, error) {
	ports, err := graph.Ports()
	if err != nil {
		return nil, err
	}
	p.forgetAbsent(ports)
	p.unmatched = unmatched(p.rules, ports)

	var made []Connection
	var refused []error
	for _, connection := range p.wanted(ports) {
		// Noted first: if a port comes back while we connect, Appeared undoes
		// the note.
		if !p.note(connection) {
			continue
		}
		if err := graph.Connect(connection.Source, connection.Sink); err != nil {
			p.unnote(connection)
			refused = append(refused, fmt.Errorf("%v: %w", connection, err))
			continue
		}
		made = append(made, connection)
	}
	return made, errors.Join(refused...)
}

// Unmatched lists the rules that wanted nothing at the last Apply, for the goroutine
// that calls it.
func (p *Patcher) Unmatched() []Unmatched { return p.unmatched }

// wanted lists the connections the rules want, in the order of the rules.
func (p *Patcher) wanted(ports []Port) []Connection {
	var wanted []Connection
	for _, rule := range p.rules {
		for _, source := range ports {
			if !source.Source || !rule.source.MatchString(source.Name) {
				continue
			}
			for _, sink := range ports {
				if !sink.Source && rule.Match(source.Name, sink.Name) {
					wanted = append(wanted, Connection{source.Name, sink.Name})
				}
			}
		}
	}
	return wanted
}

func (p *Patcher) forgetAbsent(ports []Port) {
	present := make(map[string]bool, len(ports))
	for _, port := range ports {
		present[port.Name] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for connection := range p.made {
		if !present[connection.Source] || !present[connection.Sink] {
			delete(p.made, connection)
		}
	}
}

// note tells whether the connection is new.
func (p *Patcher) note(connection Connection) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.made[connection]
	p.made[connection] = struct{}{}
	return !known
}

func (p *Patcher) unnote(connection Connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.made, connection)
}
