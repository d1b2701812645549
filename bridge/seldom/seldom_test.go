package seldom

import (
	"testing"
	"time"
)

func TestAMinuteLetsSoManyThroughAndBeginsWithTheFirst(t *testing.T) {
	start := time.Unix(1000, 0)
	for most := range 4 {
		l := Limit{Most: most}
		for second := range 180 {
			now := start.Add(time.Duration(second) * time.Second)
			open := l.Open(now)
			got := l.Allow(now)
			if open != got && most > 0 {
				t.Fatalf("%d a minute, second %d: open %v, told %v", most, second, open, got)
			}
			if want := second%60 < most; got != want {
				t.Fatalf("%d a minute, second %d: %v", most, second, got)
			}
			if last := second%60 == most-1; got && l.Last() != last {
				t.Errorf("%d a minute, second %d: last %v", most, second, l.Last())
			}
			if want := map[bool]int{true: 60 - most}[second >= 60]; l.Held() != want {
				t.Errorf("%d a minute, second %d: %d were held before, want %d", most, second, l.Held(), want)
			}
		}
	}
}

func TestAMinuteOfPeaceBeginsANewOne(t *testing.T) {
	l, now := Limit{Most: 1}, time.Unix(0, 0)
	for _, c := range []struct {
		after time.Duration
		told  bool
	}{{0, true}, {59 * time.Second, false}, {time.Second, true}, {time.Second, false}, {time.Hour, true}} {
		now = now.Add(c.after)
		if got := l.Allow(now); got != c.told {
			t.Errorf("%v later: %v", c.after, got)
		}
	}
}

func TestEachThingHasItsOwnLimit(t *testing.T) {
	l, now := Limits{Most: 1}, time.Unix(0, 0)
	for i, c := range []struct {
		what string
		told bool
	}{{"a", true}, {"b", true}, {"a", false}, {"b", false}, {"c", true}} {
		if got := l.Allow(c.what, now); got != c.told {
			t.Errorf("%d, %s: %v", i, c.what, got)
		}
	}
}
