package stack

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// sharedMemoryDir is where jackd2 keeps its sockets, semaphores and segments.
const sharedMemoryDir = "/dev/shm"

// Jackd is a JACK server.
type Jackd struct {
	*Process
	Server string // its JACK server name: the name asked for and our process id
}

// StartJackd starts a JACK server with the dummy driver: two inputs, two outputs.
// name distinguishes the servers of one
// Stack; periodFrames is 16 to 8192, rateHz 8000 to 192000. It returns when
// the server takes clients.
func (s *Stack) StartJackd(name string, periodFrames, rateHz int) (*Jackd, error) {
	return s.StartJackdDriver(name, "dummy", "-r", strconv.Itoa(rateHz), "-p", strconv.Itoa(periodFrames), "-C", "2", "-P", "2")
}

// StartJackdDriver is StartJackd with a driver of jackd2 and its arguments.
func (s *Stack) StartJackdDriver(name, driver string, args ...string) (*Jackd, error) {
	return s.StartJackdArguments(name, append([]string{"-R", "-P75", "-d", driver}, args...)...)
}

// StartJackdNetone is StartJackd with the driver netone: packets to a UDP port of this machine
// drive the server's cycles. It has no ports of its own.
func (s *Stack) StartJackdNetone(name string, port, periodFrames, rateHz int) (*Jackd, error) {
	return s.StartJackdArguments(name, "-R", "-P75", "-S", "-d", "netone",
		"-r", strconv.Itoa(rateHz), "-p", strconv.Itoa(periodFrames), "-l", strconv.Itoa(port))
}

// StartJackdArguments is StartJackd with all of jackd's arguments but the server's
// name.
func (s *Stack) StartJackdArguments(name string, args ...string) (*Jackd, error) {
	j := &Jackd{Server: jackServerName(name, os.Getpid())}
	p := &Process{
		Name:    "jackd-" + name,
		prepare: func() (func(), error) { return takePlace(j.Server) },
		ready:   func(p *Process) error { return jackReady(p, j.Server) },
		sweep: func(*Process) {
			if err := reclaimJack(j.Server); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		},
	}
	p, err := s.add(p, "jackd", append([]string{"-n", j.Server}, args...)...)
	if err != nil {
		return nil, err
	}
	j.Process = p
	return j, nil
}

// jackReady waits until the server takes a connection, which is what a client does first. No
// client is opened for it: jackd2 refuses one that opens while another leaves. A server that
// listens may end at once: it opens its driver last.
func jackReady(p *Process, server string) error {
	err := p.untilSeen("its socket", func() bool {
		call, err := net.Dial("unix", jackSocket(server))
		if err == nil {
			_ = call.Close()
		}
		return err == nil
	})
	if err == nil && !p.Alive() {
		err = errors.New("ended when it listened")
	}
	return err
}

// JackServerName is the Server of the Jackd that StartJackd starts under a name.
func JackServerName(name string) string { return jackServerName(name, os.Getpid()) }

func jackServerName(name string, owner int) string { return fmt.Sprintf("%s-%d", name, owner) }

// removeJackFiles removes what carries the server's name.
func removeJackFiles(server string) {
	for _, pattern := range []string{"jack_%s_*", "jack_sem.*_%s_*"} {
		found, _ := filepath.Glob(filepath.Join(sharedMemoryDir, fmt.Sprintf(pattern, server)))
		for _, path := range found {
			os.Remove(path)
		}
	}
}

// jackSocket is where clients of this user call the server.
func jackSocket(server string) string {
	return filepath.Join(sharedMemoryDir, fmt.Sprintf("jack_%s_%d_0", server, os.Getuid()))
}
