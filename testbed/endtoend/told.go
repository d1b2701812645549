package endtoend

import (
	"sync"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/testbed/signal"
)

// askEvery is how often the ends are asked meanwhile what their servers did.
const askEvery = 50 * time.Millisecond

// toldDuring runs f and, if wanted, returns when the ends' own clients were told meanwhile of an
// xrun, or missed cycles: a server can fail for one client alone, and no other program
// sees it. ask returns the states of all ends. A time is at most askEvery too late.
func toldDuring(wanted bool, ask func() ([]status.Status, error), f func() error) (told []signal.TimedGap, err error) {
	if !wanted {
		return nil, f()
	}
	failures := func() (sum uint64) {
		ends, err := ask()
		if err != nil {
			return 0 // it does not run just now
		}
		for _, s := range ends {
			sum += s.Audio.XrunsTotal + s.Directions.Send.Total.Xruns + s.Directions.Receive.Total.Xruns
		}
		return sum
	}
	over := make(chan struct{})
	var asking sync.WaitGroup
	asking.Add(1)
	go func() {
		defer asking.Done()
		before := failures()
		for ticker := time.NewTicker(askEvery); ; {
			select {
			case <-over:
				ticker.Stop()
				return
			case <-ticker.C:
			}
			now := failures()
			if now > before {
				told = append(told, signal.TimedGap{TimeNs: monotonicNs() - int64(askEvery/2), Known: true, Told: true})
			}
			before = max(before, now)
		}
	}()
	err = f()
	close(over)
	asking.Wait()
	return told, err
}
