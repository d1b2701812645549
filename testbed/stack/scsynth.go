package stack

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"archibald-bridge/testbed/sc"
)

// ScsynthConfig says how to run SuperCollider's sound server.
type ScsynthConfig struct {
	JackServer     string
	PeriodFrames   int    // the JACK period; the block size is the smaller of it and 64
	UDPPort        int    // on 127.0.0.1; 0 takes a free one
	InputChannels  int    // JACK ports SuperCollider:in_1 ...
	OutputChannels int    // JACK ports SuperCollider:out_1 ...
	ConnectOutputs string // SC_JACK_DEFAULT_OUTPUTS: a client's name, or ports divided by commas
	ConnectInputs  string // SC_JACK_DEFAULT_INPUTS, likewise
}

// Scsynth is a running SuperCollider server without the language.
type Scsynth struct {
	*Process
	Address string // UDP, for sc.Dial
}

// StartScsynth starts scsynth and returns when it answers /status.
func (s *Stack) StartScsynth(config ScsynthConfig) (*Scsynth, error) {
	if config.UDPPort == 0 {
		port, err := freeUDPPort()
		if err != nil {
			return nil, err
		}
		config.UDPPort = port
	}
	server := &Scsynth{Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(config.UDPPort))}
	p := &Process{
		Name: "scsynth-" + strconv.Itoa(config.UDPPort),
		env: s.Env(
			"JACK_DEFAULT_SERVER="+config.JackServer,
			"SC_JACK_DEFAULT_OUTPUTS="+config.ConnectOutputs,
			"SC_JACK_DEFAULT_INPUTS="+config.ConnectInputs,
		),
		ready: func(p *Process) error { return scsynthReady(p, server.Address) },
		// Its 8 MB for the control buses, left behind whenever it is killed.
		sweep: func(*Process) {
			os.Remove(filepath.Join(sharedMemoryDir, fmt.Sprintf("SuperColliderServer_%d", config.UDPPort)))
		},
	}
	// A block size above the JACK period gives silence, whatever /status says.
	p, err := s.add(p, "scsynth", "-u", strconv.Itoa(config.UDPPort), "-B", "127.0.0.1",
		"-i", strconv.Itoa(config.InputChannels), "-o", strconv.Itoa(config.OutputChannels),
		"-z", strconv.Itoa(min(64, config.PeriodFrames)), "-D", "0", "-R", "0", "-l", "16",
		"-m", "65536") // KB, for as many synths as no processor can play
	if err != nil {
		return nil, err
	}
	server.Process = p
	return server, nil
}

func scsynthReady(p *Process, address string) error {
	client, err := sc.Dial(address)
	if err != nil {
		return err
	}
	defer client.Close()
	return p.until("an answer to /status", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := client.Status(ctx)
		return err == nil
	})
}

// removeScsynthFile removes the 8 MB for control buses that a scsynth leaves.
func removeScsynthFile(udpPort string) {
	os.Remove(filepath.Join(sharedMemoryDir, "SuperColliderServer_"+udpPort))
}

// freeUDPPort returns a port of 127.0.0.1 that was free a moment ago.
func freeUDPPort() (int, error) {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, fmt.Errorf("free UDP port: %w", err)
	}
	defer socket.Close()
	return socket.LocalAddr().(*net.UDPAddr).Port, nil
}
