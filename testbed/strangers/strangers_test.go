package strangers

import (
	"flag"
	"fmt"
	"math"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/stack"
)

var (
	bridgeFlag = flag.String("bridge", "", "the program to attack, instead of one built from this tree")
	longFlag   = flag.Int("long", 1, "how many times as long as usual each attack goes on")
)

// Starting servers takes longer than most attacks: all tests have the same ones.
var town *Town

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if town != nil {
		if err := town.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// machines is a Town whose ends a test may start; they end with the test.
func machines(t *testing.T) *Town {
	t.Helper()
	if town == nil {
		var err error
		if town, err = Build(*bridgeFlag, stack.New); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("guest:\n%s\nhost:\n%s", Tail(town.GuestEnd), Tail(town.HostEnd))
		}
		town.StopEnds()
	})
	return town
}

// session is a Town with both ends up.
func session(t *testing.T, peer netip.AddrPort, flags ...string) *Town {
	t.Helper()
	town := machines(t)
	must(t, town.StartHost(flags...))
	must(t, town.WaitReady(20*time.Second))
	must(t, town.StartGuest(peer, flags...))
	must(t, town.WaitUp(20*time.Second))
	return town
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A tone of a stranger is heard above this.
const inaudibleDBFS = -90

// quietLines is what an end may log of its start and of each minute of attacks: each reason
// once, and some that the strangers choose the words of.
const quietLines = 25

// row is an attack on a live session.
type row struct {
	name    string
	length  time.Duration
	attack  Attack
	control bool // what is found is what the machine does by itself
}

// attacks are those that need neither the secret nor a start of an end.
func attacks(town *Town, tally *Tally) []row {
	second := gate.Soak(time.Second, 10*time.Second) * time.Duration(*longFlag)
	in, out := town.Inside(), town.Outside()
	fit := PublicOffer
	bad := func() []byte { return Offer("", GuestSSRC, Unfit) }
	other := func() []byte { return Offer("other", 0xbad0bad, nil) }
	// Somewhere on the same machine that nobody listens at, so that all else is equal.
	elsewhere := netipPort(HostDoor, 9)
	random := uint32(0x5eed5eed)
	return []row{
		{"nothing", 2 * second, Idle, true},
		{"flood to other ports", 2 * second, Together(out.Flood(elsewhere, Mixed(GuestSSRC)), out.Flood(netipPort(GuestDoor, 9), Mixed(HostSSRC))), true},
		{"flood of everything from outside", 2 * second, Together(out.Flood(HostDoor, Mixed(GuestSSRC)), out.Flood(GuestDoor, Mixed(HostSSRC))), false},
		{"flood of sound from inside", 2 * second, in.Flood(HostDoor, Sound(GuestSSRC)), false},
		{"flood of RTCP from inside", 2 * second, in.Flood(HostDoor, Reports), false},
		{"flood of sound in the peer's name", 2 * second, in.FloodAs(GuestDoor, HostDoor, Sound(GuestSSRC)), false},
		{"flood of RTCP in the peer's name", 2 * second, in.FloodAs(GuestDoor, HostDoor, Reports), false},
		{"flood of RTCP in the peer's name, to the guest", 2 * second, in.FloodAs(HostDoor, GuestDoor, Reports), false},
		{"sound and good offers from outside", second, Together(out.Stream(HostDoor, GuestSSRC), out.OfferOften(HostDoor, fit, tally)), false},
		{"sound and good offers from inside", second, Together(in.Stream(HostDoor, GuestSSRC), in.OfferOften(HostDoor, fit, tally)), false},
		{"sound in the peer's name", second, Together(in.StreamAs(GuestDoor, HostDoor, GuestSSRC), in.StreamAs(netipPort(GuestDoor, 40000), HostDoor, random)), false},
		{"offers that are refused, from inside", second, in.OfferOften(HostDoor, bad, tally), false},
		{"offers of another name, from inside", second, in.OfferOften(HostDoor, other, tally), false},
		{"offers to the guest", second, Together(in.OfferOften(GuestDoor, func() []byte { return Offer("", HostSSRC, AsHost) }, tally), out.OfferOften(GuestDoor, bad, tally)), false},
		{"offers that are refused, from the peer's machine", second, town.Neighbour().OfferOften(HostDoor, bad, tally), false},
		{"goodbyes to the host", second, in.Goodbyes(HostDoor, GuestDoor, GuestSSRC, random, 0), false},
		{"goodbyes to the guest", second, in.Goodbyes(GuestDoor, HostDoor, HostSSRC, random, 0), false},
		{"word that the peer is not there", second, Together(in.NobodyThere(HostDoor, GuestDoor), in.NobodyThere(GuestDoor, HostDoor)), false},
		{"hanging up, and held connections", second, Together(in.HangUp(HostDoor), out.HangUp(HostDoor), in.Hold(HostDoor, 64, Mute, fit), out.Hold(HostDoor, 64, Dripping, fit)), false},
	}
}

// onlyGaps says that a phase has no fault but gaps.
func (p Phase) onlyGaps() bool { return len(p.faults(p.Gaps)) == 0 }

// faults are what a phase has that it must not have. machine is how many gaps a control
// had.
func (p Phase) faults(machine int) (found []string) {
	if p.Reconnects > 0 {
		found = append(found, fmt.Sprintf("%d reconnects", p.Reconnects))
	}
	if p.Datagrams > 0 {
		found = append(found, fmt.Sprintf("%d datagrams to strangers", p.Datagrams))
	}
	if level := math.Max(p.StrangerDBFS[0], p.StrangerDBFS[1]); level > inaudibleDBFS {
		found = append(found, fmt.Sprintf("a stranger's tone at %.0f dBFS", level))
	}
	if allowed := machine + p.ServerFailures; p.Gaps > allowed {
		found = append(found, fmt.Sprintf("%d gaps, %d are the machine's", p.Gaps, allowed))
	}
	return found
}

// attempts is how often a row may be tried: again only where all that is wrong with it are
// gaps, and a server failed meanwhile.
const attempts = 3

// broken makes attacks while both ends play, and returns those to be tried again, with
// the controls.
func broken(t *testing.T, town *Town, rows []row, last bool) (again []row) {
	t.Helper()
	l, err := town.Listen(10 * time.Minute)
	must(t, err)
	for _, row := range rows {
		must(t, l.During(row.name, row.length, row.attack))
	}
	must(t, l.Finish())
	machine, failures, wanted := 0, 0, false
	for i, p := range l.Phases {
		failures += p.ServerFailures
		if rows[i].control {
			machine = max(machine, p.Gaps)
		}
	}
	for i, p := range l.Phases {
		t.Log(p)
		faults := p.faults(machine)
		switch {
		case rows[i].control:
			again = append(again, rows[i])
		case len(faults) == 0:
		case p.onlyGaps() && failures > 0 && !last:
			again, wanted = append(again, rows[i]), true
		default:
			t.Errorf("%s: %s", p.Name, strings.Join(faults, ", "))
		}
	}
	if !wanted {
		return nil
	}
	return again
}

// With no secret: allow, the binding of a session and the limits keep strangers out.
func TestStrangersDoNotTouchASession(t *testing.T) {
	begun := time.Now()
	town := session(t, HostDoor)
	var tally Tally
	rows := attacks(town, &tally)
	used := 0
	defer func() { gate.Attempts(t, used, attempts) }()
	for attempt := 1; len(rows) > 0; attempt++ {
		used = attempt
		rows = broken(t, town, rows, attempt == attempts)
	}
	t.Logf("offers: %v", &tally)
	if n := tally.Accepted.Load(); n > 0 {
		t.Errorf("%d offers of strangers were accepted", n)
	}
	// All of it is told, but once.
	status, err := town.HostStatus()
	must(t, err)
	calls, dropped := status.Session.RejectedCalls, status.Directions.Receive.Total.RejectedBy
	if t.Logf("the host rejected %+v, %+v", calls, dropped); calls.Strangers == 0 || calls.Refused == 0 || calls.Crowded == 0 || dropped.Sum() < floodPerSecond {
		t.Errorf("the status does not tell: %+v, %+v", calls, dropped)
	}
	for _, end := range []*stack.Process{town.HostEnd, town.GuestEnd} {
		text, err := os.ReadFile(end.Log)
		must(t, err)
		if lines := strings.Count(string(text), "\n"); lines > quietLines*(1+int(time.Since(begun).Minutes())) {
			t.Errorf("%s: %d lines in the log", end.Name, lines)
		}
	}
}
