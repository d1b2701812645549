package patchbay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// fakeGraph is an audio server that the test uses.
type fakeGraph struct {
	ports     []Port
	connected map[Connection]bool
	refuse    map[string]error // by source
	calls     int
	onConnect func()
}

func newGraph(ports ...string) *fakeGraph {
	g := &fakeGraph{connected: map[Connection]bool{}, refuse: map[string]error{}}
	g.add(ports...)
	return g
}

// add adds ports, outputs if their name has out.
func (g *fakeGraph) add(ports ...string) {
	for _, name := range ports {
		g.ports = append(g.ports, Port{Name: name, Source: strings.Contains(name, "out")})
	}
}

func (g *fakeGraph) remove(client string) {
	g.ports = slices.DeleteFunc(g.ports, func(p Port) bool { return strings.HasPrefix(p.Name, client+":") })
	for c := range g.connected {
		if strings.HasPrefix(c.Source, client+":") || strings.HasPrefix(c.Sink, client+":") {
			delete(g.connected, c)
		}
	}
}

func (g *fakeGraph) Ports() ([]Port, error) {
	if err := g.refuse["ports"]; err != nil {
		return nil, err
	}
	return slices.Clone(g.ports), nil
}

func (g *fakeGraph) Connect(source, sink string) error {
	g.calls++
	if g.onConnect != nil {
		g.onConnect()
	}
	if err := g.refuse[source]; err != nil {
		return err
	}
	for _, name := range []string{source, sink} {
		if !slices.ContainsFunc(g.ports, func(p Port) bool { return p.Name == name }) {
			return fmt.Errorf("no port %s", name)
		}
	}
	g.connected[Connection{source, sink}] = true
	return nil
}

func (g *fakeGraph) list() string {
	var all []string
	for c := range g.connected {
		all = append(all, c.String())
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func patcher(t *testing.T, rules ...string) *Patcher {
	t.Helper()
	var parsed []Rule
	for _, text := range rules {
		rule, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, rule)
	}
	return NewPatcher(parsed)
}

func apply(t *testing.T, p *Patcher, g *fakeGraph, want string) {
	t.Helper()
	if _, err := p.Apply(g); err != nil {
		t.Fatalf("Apply: %v", err)
	}
	if got := g.list(); got != want {
		t.Fatalf("connections: %s\n       want: %s", got, want)
	}
}

const (
	toHost = "sc:out_* -> host:in_*"
	both   = "sc:out_1 -> host:in_1, sc:out_2 -> host:in_2"
)

func TestPortsThatAreThereAreConnected(t *testing.T) {
	apply(t, patcher(t, toHost), newGraph("sc:out_1", "sc:out_2", "host:in_1", "host:in_2"), both)
}

func TestPortsThatComeLaterAreConnected(t *testing.T) {
	p, g := patcher(t, toHost), newGraph()
	apply(t, p, g, "")
	g.add("host:in_1", "host:in_2")
	apply(t, p, g, "")
	g.add("sc:out_1")
	apply(t, p, g, "sc:out_1 -> host:in_1")
	g.add("sc:out_2")
	apply(t, p, g, both)
}

func TestUnequalChannelCountsConnectWhatTheyShare(t *testing.T) {
	apply(t, patcher(t, toHost), newGraph("sc:out_1", "sc:out_2", "sc:out_3", "host:in_1"), "sc:out_1 -> host:in_1")
}

func TestOutputsAreNeverSinks(t *testing.T) {
	g := newGraph("a:out_1", "b:out_1", "b:in_1", "a:in_1")
	apply(t, patcher(t, "*:*_* -> *:*_*"), g,
		"a:out_1 -> a:in_1, a:out_1 -> b:in_1, b:out_1 -> a:in_1, b:out_1 -> b:in_1")
}

func TestRulesAddUp(t *testing.T) {
	g := newGraph("sc:out_1", "host:in_1", "meter:in")
	apply(t, patcher(t, toHost, "sc:out_* -> meter:in", toHost), g, "sc:out_1 -> host:in_1, sc:out_1 -> meter:in")
	if g.calls != 2 {
		t.Errorf("%d calls for 2 connections", g.calls)
	}
}

func TestAConnectionIsMadeOnce(t *testing.T) {
	p, g := patcher(t, toHost), newGraph("sc:out_1", "host:in_1")
	for i := range 3 {
		made, err := p.Apply(g)
		if want := 1 - min(i, 1); err != nil || len(made) != want {
			t.Fatalf("Apply %d made %v, %v; want %d", i, made, err, want)
		}
	}
}

func TestAConnectionTheUserRemovedStaysRemoved(t *testing.T) {
	p, g := patcher(t, toHost), newGraph("sc:out_1", "sc:out_2", "host:in_1", "host:in_2")
	apply(t, p, g, both)
	delete(g.connected, Connection{"sc:out_1", "host:in_1"})
	apply(t, p, g, "sc:out_2 -> host:in_2")
	g.add("other:out_1") // an event that has nothing to do with it
	p.Appeared("other:out_1")
	apply(t, p, g, "sc:out_2 -> host:in_2")
}

func TestConnectionsOfTheUsersOwnAreLeftAlone(t *testing.T) {
	p, g := patcher(t, toHost), newGraph("sc:out_1", "host:in_1", "meter:in")
	g.connected[Connection{"sc:out_1", "meter:in"}] = true
	apply(t, p, g, "sc:out_1 -> host:in_1, sc:out_1 -> meter:in")
}

func TestARestartedClientIsConnectedAgain(t *testing.T) {
	for _, client := range []string{"sc", "host"} {
		p, g := patcher(t, toHost), newGraph("sc:out_1", "host:in_1")
		apply(t, p, g, "sc:out_1 -> host:in_1")
		delete(g.connected, Connection{"sc:out_1", "host:in_1"}) // by hand, then
		g.remove(client)
		apply(t, p, g, "")
		g.add(map[string]string{"sc": "sc:out_1", "host": "host:in_1"}[client])
		apply(t, p, g, "sc:out_1 -> host:in_1")
	}
}

func TestAClientThatRestartsUnseenIsConnectedAgain(t *testing.T) {
	for _, event := range []string{"sc:out_1", "host:in_1", ""} {
		p, g := patcher(t, toHost), newGraph("sc:out_1", "host:in_1")
		apply(t, p, g, "sc:out_1 -> host:in_1")
		g.connected = map[Connection]bool{} // both events between two calls of Apply
		p.Appeared(event)
		apply(t, p, g, "sc:out_1 -> host:in_1")
	}
}

func TestAClientThatRestartsDuringApplyIsConnectedByTheNext(t *testing.T) {
	p, g := patcher(t, toHost), newGraph("sc:out_1", "host:in_1")
	g.onConnect = func() {
		g.onConnect = nil
		p.Appeared("sc:out_1")
	}
	apply(t, p, g, "sc:out_1 -> host:in_1")
	g.connected = map[Connection]bool{}
	apply(t, p, g, "sc:out_1 -> host:in_1")
}

func TestARefusedConnectionIsTriedAgainAndStopsNoOther(t *testing.T) {
	p, g := patcher(t, toHost), newGraph("sc:out_1", "sc:out_2", "host:in_1", "host:in_2")
	inactive := errors.New("client not active")
	g.refuse["sc:out_1"] = inactive
	made, err := p.Apply(g)
	if !errors.Is(err, inactive) || !strings.Contains(err.Error(), "sc:out_1 -> host:in_1") {
		t.Errorf("Apply: %v", err)
	}
	if len(made) != 1 || g.list() != "sc:out_2 -> host:in_2" {
		t.Errorf("made %v", made)
	}
	delete(g.refuse, "sc:out_1")
	apply(t, p, g, both)
}

func TestNothingIsForgottenWhenPortsCannotBeListed(t *testing.T) {
	p, g := patcher(t, toHost), newGraph("sc:out_1", "host:in_1")
	apply(t, p, g, "sc:out_1 -> host:in_1")
	g.refuse["ports"] = errors.New("server gone")
	if _, err := p.Apply(g); !errors.Is(err, g.refuse["ports"]) {
		t.Errorf("Apply: %v", err)
	}
	delete(g.refuse, "ports")
	g.connected = map[Connection]bool{} // by hand
	apply(t, p, g, "")
}
