// Package sc plays SuperCollider's sound server, scsynth, over OSC on UDP. It
// needs no sclang: its two synth definitions, a sine and a pass-through, are
// built byte by byte.
//
// Sources: Open Sound Control 1.0; SuperCollider's "Server Command Reference"
// and "Synth Definition File Format".
package sc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// Client talks to one scsynth. It is used from one goroutine at a time.
type Client struct{ socket *net.UDPConn }

// lastID is that of nodes and of /sync. Several clients of one server must not have the same.
var lastID atomic.Int32

func init() { lastID.Store(1000) }

// Status is scsynth's answer to /status.
type Status struct {
	Units, Synths, Groups, Definitions int
	AverageCPU, PeakCPU                float32 // percent
	NominalRateHz, ActualRateHz        float64
}

// Note is one step of a phrase.
type Note struct {
	Hz       float32
	Duration time.Duration
}

// Dial makes a client for the scsynth at a UDP address. Nothing is sent yet.
func Dial(address string) (*Client, error) {
	to, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	socket, err := net.DialUDP("udp", nil, to)
	if err != nil {
		return nil, err
	}
	return &Client{socket: socket}, nil
}

// Close ends the client. Synths play on.
func (c *Client) Close() error { return c.socket.Close() }

// Status asks for /status.
func (c *Client) Status(ctx context.Context) (Status, error) {
	reply, err := c.ask(ctx, Message{"/status", nil}, func(m Message) bool { return m.Address == "/status.reply" })
	if err != nil {
		return Status{}, err
	}
	if len(reply.Args) != 9 {
		return Status{}, fmt.Errorf("/status.reply has %d arguments, want 9", len(reply.Args))
	}
	count := func(i int) int { n, _ := reply.Args[i].(int32); return int(n) }
	s := Status{Units: count(1), Synths: count(2), Groups: count(3), Definitions: count(4)}
	s.AverageCPU, _ = reply.Args[5].(float32)
	s.PeakCPU, _ = reply.Args[6].(float32)
	s.NominalRateHz, _ = reply.Args[7].(float64)
	s.ActualRateHz, _ = reply.Args[8].(float64)
	return s, nil
}

// Load sends the synth definitions and waits until scsynth has them.
func (c *Client) Load(ctx context.Context) error {
	for _, d := range []definition{toneDefinition, thruDefinition, burdenDefinition()} {
		_, err := c.ask(ctx, Message{"/d_recv", []any{d.encode()}}, func(m Message) bool {
			return m.Address == "/done" && len(m.Args) > 0 && m.Args[0] == "/d_recv"
		})
		if err != nil {
			return fmt.Errorf("synth definition %s: %w", d.name, err)
		}
	}
	return nil
}

// Tone starts a sine on one output channel (0 is SuperCollider:out_1) with a
// peak of amp, 0 to 1, and returns its node.
func (c *Client) Tone(ctx context.Context, channel int, hz, amp float32) (node int32, err error) {
	return c.newSynth(ctx, ToneDef, "freq", hz, "amp", amp, "out", float32(channel))
}

// Thru plays an input bus on an output channel. With n output channels, bus n
// is SuperCollider:in_1.
func (c *Client) Thru(ctx context.Context, inputBus, channel int, gain float32) (node int32, err error) {
	return c.newSynth(ctx, ThruDef, "in", float32(inputBus), "out", float32(channel), "gain", gain)
}

// Burden starts a synth that works and is not heard, and returns its node.
func (c *Client) Burden(ctx context.Context) (node int32, err error) {
	return c.newSynth(ctx, BurdenDef)
}

// Phrase plays notes one after the other on a Tone's node, legato, and returns
// after the last one's duration. The tone then holds the last pitch.
func (c *Client) Phrase(ctx context.Context, node int32, notes []Note) error {
	for _, note := range notes {
		if err := c.Set(ctx, node, "freq", note.Hz); err != nil {
			return err
		}
		select {
		case <-time.After(note.Duration):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Set changes a parameter of a node.
func (c *Client) Set(ctx context.Context, node int32, name string, value float32) error {
	return c.do(ctx, Message{"/n_set", []any{node, name, value}})
}

// Free ends nodes, all at once.
func (c *Client) Free(ctx context.Context, nodes ...int32) error {
	free := Message{Address: "/n_free"}
	for _, node := range nodes {
		free.Args = append(free.Args, node)
	}
	return c.do(ctx, free)
}

// Sync waits until scsynth has done everything sent before.
func (c *Client) Sync(ctx context.Context) error {
	id := lastID.Add(1)
	_, err := c.ask(ctx, Message{"/sync", []any{id}}, func(m Message) bool {
		return m.Address == "/synced" && len(m.Args) > 0 && m.Args[0] == id
	})
	return err
}

func (c *Client) newSynth(ctx context.Context, name string, parameters ...any) (int32, error) {
	node := lastID.Add(1)
	const addToHead, defaultGroup = int32(0), int32(0)
	return node, c.do(ctx, Message{"/s_new", append([]any{name, node, addToHead, defaultGroup}, parameters...)})
}

// do sends a command that answers only when it fails, and waits until it is
// done.
func (c *Client) do(ctx context.Context, m Message) error {
	if _, err := c.socket.Write(m.encode()); err != nil {
		return err
	}
	if err := c.Sync(ctx); err != nil {
		return fmt.Errorf("%s: %w", m.Address, err)
	}
	return nil
}

// ask sends m and returns the first reply that is wanted. A /fail in between
// is the error.
func (c *Client) ask(ctx context.Context, m Message, wanted func(Message) bool) (Message, error) {
	if _, err := c.socket.Write(m.encode()); err != nil {
		return Message{}, err
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(5 * time.Second)
	}
	if err := c.socket.SetReadDeadline(deadline); err != nil {
		return Message{}, err
	}
	buf := make([]byte, 65536)
	for {
		n, err := c.socket.Read(buf)
		if err != nil {
			return Message{}, fmt.Errorf("no answer to %s: %w", m.Address, errors.Join(ctx.Err(), err))
		}
		reply, err := decode(buf[:n])
		if err != nil {
			return Message{}, err
		}
		if reply.Address == "/fail" {
			return Message{}, fmt.Errorf("scsynth: %v", reply.Args)
		}
		if wanted(reply) {
			return reply, nil
		}
	}
}
