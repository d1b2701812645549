package stack

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// The test's program run again, as one that listens or calls in its network.
func init() {
	if address := os.Getenv("STACK_TEST_LISTEN"); address != "" {
		listener, err := net.Listen("tcp", address)
		if err == nil {
			var call net.Conn
			if call, err = listener.Accept(); err == nil {
				_, err = io.WriteString(call, "hello")
				call.Close()
			}
		}
		fmt.Println(err)
		os.Exit(0)
	}
	if address := os.Getenv("STACK_TEST_CALL"); address != "" {
		for range 50 {
			if call, err := net.Dial("tcp", address); err == nil {
				_, _ = io.Copy(os.Stdout, call)
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		os.Exit(0)
	}
}

func TestJoinedStacksReachEachOtherAndNobodyElse(t *testing.T) {
	a, b := newStack(t), newStack(t)
	for _, s := range []*Stack{a, b} {
		if err := s.Isolate(); err != nil {
			t.Fatal(err)
		}
	}
	const address = "10.47.13.2"
	if err := Join(a, b, "10.47.13.1", address); err != nil {
		t.Fatal(err)
	}
	before, err := b.Received()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Start("listener", []string{"STACK_TEST_LISTEN=" + address + ":4713"}, os.Args[0]); err != nil {
		t.Fatal(err)
	}
	a.Environment = []string{"STACK_TEST_CALL=" + address + ":4713"}
	if text, err := a.output(os.Args[0]); err != nil || text != "hello" {
		t.Errorf("%q, %v", text, err)
	}
	a.Environment = nil
	after, err := b.Received()
	if err != nil || after.Packets < before.Packets+3 || after.Bytes <= before.Bytes {
		t.Errorf("received %+v, before %+v, %v", after, before, err)
	}
	if text, err := a.output("ip", "route"); err != nil || strings.Contains(text, "default") {
		t.Errorf("there is a way out: %s, %v", text, err)
	}
}

func TestAMachinesEnvironmentReachesItsProgramsOnly(t *testing.T) {
	s := newStack(t)
	other := newStack(t)
	s.Environment = []string{"SKEW_PPM=3"}
	for stack, want := range map[*Stack]bool{s: true, other: false} {
		text, err := stack.output("env")
		if err != nil || strings.Contains(text, "SKEW_PPM=3") != want {
			t.Errorf("want it there: %v; %v\n%s", want, err, text)
		}
	}
}

// The third machine is one that others of the segment do not know.
func TestMachinesOfOneSegmentReachEachOtherByAllTheirAddresses(t *testing.T) {
	hub, a, b := newStack(t), newStack(t), newStack(t)
	for _, s := range []*Stack{hub, a, b} {
		if err := s.Isolate(); err != nil {
			t.Fatal(err)
		}
	}
	if err := hub.Share("10.47.14.1/24", "10.47.15.1/24"); err != nil {
		t.Fatal(err)
	}
	for i, s := range []*Stack{a, b} {
		if err := s.Plug(hub, fmt.Sprintf("10.47.14.%d/24", i+2), fmt.Sprintf("10.47.15.%d/24", i+2)); err != nil {
			t.Fatal(err)
		}
	}
	reaches := func(from, to *Stack, address string) {
		t.Helper()
		var listener, call net.Conn
		var socket net.Listener
		err := to.Inside(func() (err error) { socket, err = net.Listen("tcp", address); return err })
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		if err := from.Inside(func() (err error) { call, err = net.Dial("tcp", address); return err }); err != nil {
			t.Fatal(err)
		}
		defer call.Close()
		if listener, err = socket.Accept(); err != nil {
			t.Fatal(err)
		}
		listener.Close()
	}
	reaches(a, b, "10.47.14.3:4713")
	reaches(a, hub, "10.47.15.1:4713")
	reaches(hub, b, "10.47.15.3:4713")
	if _, err := net.Listen("tcp", "10.47.14.3:0"); err == nil {
		t.Error("the test itself is in one of the machines' networks")
	}
}
