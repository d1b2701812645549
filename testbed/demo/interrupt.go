package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"archibald-bridge/testbed/endtoend"
)

// closeOnInterrupt stops everything and removes its files when the user presses
// Ctrl-C.
func closeOnInterrupt(r *endtoend.Rig) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupts
		fmt.Fprintln(os.Stderr, "demo: stopping")
		_ = r.Close()
		os.Exit(130)
	}()
}
