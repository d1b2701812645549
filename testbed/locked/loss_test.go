package locked

import (
	"fmt"
	"math"
	"testing"
	"time"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/path"
)

// lossy is a way on which datagrams are lost, each for itself, between ends that send every packet
// so many times more.
type lossy struct {
	pair       pair
	loss       float64
	redundancy int
}

// What is lost is made up and counted as lost, all else is bit for bit and in its place. What came
// at least once is not missing. The graph that leads is as undisturbed as ever.
func TestPacketsAreLostBetweenLeaderAndFollower(t *testing.T) {
	var all []lossy
	for _, p := range pairs {
		for _, loss := range []float64{0.01, 0.05} {
			all = append(all, lossy{p, loss, 0}, lossy{p, loss, 1})
		}
	}
	// With one in five lost, one run shows both: what is lost twice, and what comes once.
	for _, way := range gate.Soak([]lossy{{pairs[1], 0.2, 1}}, all) {
		t.Run(fmt.Sprintf("%s, %g lost, redundancy %d", way.pair.name, way.loss, way.redundancy), way.cross)
	}
}

func (l lossy) cross(t *testing.T) {
	p := l.pair
	p.config.Way = path.Kind{Seed: 7}
	p.config.Common = []string{"--redundancy", fmt.Sprint(l.redundancy)}
	r := start(t, p)
	duration := gate.Soak(2*time.Second, 18*time.Second)
	_, before := measure(t, r, p.leader, period, period, duration) // what the machine costs, and the way
	r.Way.Lose(l.loss)
	trip, by := measure(t, r, p.leader, period, period, duration)

	missing := math.Pow(l.loss, float64(1+l.redundancy)) // of all packets, those that never come
	for _, to := range []proto.Role{proto.Host, proto.Guest} {
		packets := float64(by["datagrams to the "+string(to)]) / float64(1+l.redundancy)
		want, is := missing*packets, float64(by.of(to, "lost"))
		t.Logf("%s: of %.0f packets %.0f lost, expected %.0f", to, packets, is, want)
		if is < want/2-4 || is > 2*want+4 {
			t.Errorf("the %s counts %.0f lost packets of %.0f, want about %.0f", to, is, packets, want)
		}
	}
	const packetsBothWays = 4 // of each cycle
	cycles := float64(trip.Frames) / period * (1 - math.Pow(1-missing, packetsBothWays))
	most := chance(cycles) + float64(again(before.heard(p.leader)))
	if different := float64(trip.Frames - trip.Equal); different > most*(period+crossFadeFrames) {
		t.Errorf("%.0f frames are missing where %.0f cycles lost a packet, %.0f at the most with what else is missed", different, cycles, most)
	}
	undisturbed(t, p.leader, before, by)
}
