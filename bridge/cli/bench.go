package cli

import (
	"context"
	"encoding/json"
	"slices"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/roundtrip"
	"archibald-bridge/proto"
)

type benchCommand struct {
	Seconds    int    `placeholder:"N" default:"10" help:"Length of the measurement."`
	JackServer string `name:"jack-server"`
	JSON       bool   `name:"json" help:"One line of JSON, with every reading."`
	To         string `placeholder:"PORT" default:"archibald-to-host:in_1" help:"Input port that the sound goes into."`
	From       string `placeholder:"PORT" default:"archibald-from-host:out_1" help:"Output port that it comes back from; none: --to leads back by itself."`
	Address    string `placeholder:"HOST:PORT" help:"Where the guest serves its status, if not at its usual address: it says what the host's rate is."`
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
	if c.Address != "" {
		if err := checkAddress(c.Address); err != nil {
			return err
		}
	}
	report, err := env.runners.Bench(ctx, c.options(env.set))
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
func (c *benchCommand) options(set []string) roundtrip.Options {
	guest := config.Default(proto.Guest)
	options := roundtrip.Options{
		Server: c.JackServer, Seconds: c.Seconds, To: c.To, From: c.From, Status: guest.StatusListen.String(),
	}
	if !slices.Contains(set, "jack-server") {
		options.Server = guest.JackServer
	}
	if c.Address != "" {
		options.Status = c.Address
	}
	if c.From == "none" {
		options.From = ""
	}
	return options
}

func (c *benchCommand) write(env *environment, report *roundtrip.Report) error {
	if !c.JSON {
		return report.WriteText(env.stdout)
	}
	return json.NewEncoder(env.stdout).Encode(report)
}
