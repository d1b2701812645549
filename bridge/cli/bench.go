package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/roundtrip"
)

type benchCommand struct {
	Seconds    int    `placeholder:"N" default:"10" help:"Length of the measurement (1 to 600; default 10)." legal:"1 to 600"`
	JackServer string `name:"jack-server" placeholder:"NAME" help:"Name of the JACK server, as given to jackd --name." legal:"a name that is not empty"`
	JSON       bool   `name:"json" help:"One line of JSON, with every reading."`
	To         string `placeholder:"PORT" default:"archibald-to-host:in_1" help:"Input port that the sound goes into (default archibald-to-host:in_1)." legal:"CLIENT:PORT"`
	From       string `placeholder:"PORT" default:"archibald-from-host:out_1" help:"Output port that it comes back from; none: --to leads back by itself (default archibald-from-host:out_1)." legal:"CLIENT:PORT or none"`
}

// Help explains and gives examples.
func (benchCommand) Help() string {
	return `Plays noise at -12 dBFS into the bridge and measures when it comes back, 23 times a second. For the time of the
measurement the two ports are parted from everything else. On the host, lead the sound back first:
  pw-link archibald-from-guest:output_FL archibald-to-guest:playback_FL

Examples:
  archibald-bridge bench
  archibald-bridge bench --to archibald-bench:in --from none     the control: JACK alone, one period`
}

// Run measures and prints the report.
func (c *benchCommand) Run(ctx context.Context, env *environment) error {
	options, err := c.options(env.set)
	if err != nil {
		return err
	}
	report, err := env.runners.Bench(ctx, options)
	if report == nil {
		return err
	}
	// A report can come with an error: a connection that was not put back.
	if writeErr := c.write(env, report); writeErr != nil {
		return writeErr
	}
	return err
}

// options are what the flags say; set names those that were given.
func (c *benchCommand) options(set []string) (roundtrip.Options, error) {
	guest := config.Default(config.EndGuest)
	if !slices.Contains(set, "jack-server") {
		c.JackServer = guest.JackServer
	}
	wrong := func(flag, value, legal string) (roundtrip.Options, error) {
		return roundtrip.Options{}, &config.Error{Where: flag, Value: value, Legal: legal}
	}
	switch {
	case c.Seconds < 1 || c.Seconds > 600:
		return wrong("--seconds", fmt.Sprint(c.Seconds), "1 to 600")
	case c.JackServer == "":
		return wrong("--jack-server", "", "a name that is not empty")
	case !strings.Contains(c.To, ":"):
		return wrong("--to", c.To, "CLIENT:PORT")
	case c.From != "none" && !strings.Contains(c.From, ":"):
		return wrong("--from", c.From, "CLIENT:PORT or none")
	}
	options := roundtrip.Options{
		Server: c.JackServer, Seconds: c.Seconds, To: c.To, From: c.From, Status: guest.StatusListen.String(),
	}
	if options.From == "none" {
		options.From = ""
	}
	return options, nil
}

func (c *benchCommand) write(env *environment, report *roundtrip.Report) error {
	if !c.JSON {
		return report.WriteText(env.stdout)
	}
	return json.NewEncoder(env.stdout).Encode(report)
}
