// Command archibald-bridge carries sound between a virtual machine and its host.
package main

import (
	"os"

	"archibald-bridge/bridge/app"
	"archibald-bridge/bridge/cli"
	"archibald-bridge/guest"
	"archibald-bridge/host"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr, cli.Runners{
		Guest: app.Runner(guest.Role), Host: app.Runner(host.Role), Devices: app.Devices, Bench: app.Bench,
	}))
}
