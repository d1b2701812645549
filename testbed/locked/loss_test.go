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
	p.config.Way = path.Kind{Loss: l.loss, Seed: 7}
	p.config.Common = []string{"--redundancy", fmt.Sprint(l.redundancy)}
	r := start(t, p)
	sentBefore, lostBefore := r.Way.Counts()
	trip, by := measure(t, r, p.leader, period, period, gate.Soak(4*time.Second, 20*time.Second))
	sent, lost := r.Way.Counts()

	missing := math.Pow(l.loss, float64(1+l.redundancy)) // of all packets, those that never come
	for i, to := range []proto.Role{proto.Host, proto.Guest} {
		packets := float64(sent[i]+lost[i]-sentBefore[i]-lostBefore[i]) / float64(1+l.redundancy)
		want, is := missing*packets, float64(by[string(to)+": lost"])
		t.Logf("%s: of %.0f packets %.0f lost, expected %.0f", to, packets, is, want)
		if is < want/2-4 || is > 2*want+4 {
			t.Errorf("the %s counts %.0f lost packets of %.0f, want about %.0f", to, is, packets, want)
		}
	}
	const packetsBothWays = 4 // of each cycle
	cycles := 1 - math.Pow(1-missing, packetsBothWays)
	if share := 1 - float64(trip.Equal)/float64(trip.Frames); share > 2*cycles*(1+float64(crossFadeFrames)/period)+0.1 {
		t.Errorf("%.1f %% of the sound is missing where %.1f %% of the cycles lost a packet", 100*share, 100*cycles)
	}
	undisturbed(t, p.leader, by, trip.Frames/period)
}
