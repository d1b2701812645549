package cli

import (
	"encoding"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"archibald-bridge/bridge/config"
)

const (
	programName = "archibald-bridge"
	summary     = "Low-latency sound between a virtual machine (jackd, SuperCollider) and its host (PipeWire), over RTP on port 4713."
)

// grammar is the command line. The flags of guest and host are the fields of
// the configuration, so that no flag can lack its key or the other way round.
type grammar struct {
	Guest   guestCommand   `cmd:"" help:"Run the end in the virtual machine, beside jackd."`
	Host    hostCommand    `cmd:"" help:"Run the end on the host, beside PipeWire or jackd, or on a device."`
	Status  statusCommand  `cmd:"" help:"Print what the ends running on this machine are doing."`
	Devices devicesCommand `cmd:"" help:"List the devices of the backend portaudio."`
	Bench   benchCommand   `cmd:"" help:"Measure the round trip through the bridge, on the guest."`
	Config  configCommand  `cmd:"" help:"Work with configuration files."`
	Keygen  keygenCommand  `cmd:"" help:"Print a new secret for --secret-file."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

type guestCommand struct {
	ConfigFile string `name:"config" placeholder:"FILE" help:"Read this TOML file; flags win over it." legal:"the path of a TOML file"`
	config.Common
	config.Guest
}

type hostCommand struct {
	ConfigFile string `name:"config" placeholder:"FILE" help:"Read this TOML file; flags win over it." legal:"the path of a TOML file"`
	config.Common
	config.Host
}

type statusCommand struct {
	JSON    bool   `name:"json" help:"One line of JSON for each end that answers."`
	Address string `placeholder:"HOST:PORT" help:"Ask there instead of at both ends' usual addresses." legal:"HOST:PORT"`
}

type configCommand struct {
	Check configCheckCommand `cmd:"" help:"Look for mistakes in a configuration file. Prints the first one, with its line."`
}

type configCheckCommand struct {
	File string `arg:"" help:"The TOML file."`
}

type devicesCommand struct{}

type keygenCommand struct{}

type versionCommand struct{}

// Help gives examples.
func (keygenCommand) Help() string {
	return `Examples:

  archibald-bridge keygen > bridge.secret

  scp -p bridge.secret guest:

  archibald-bridge host --secret-file bridge.secret

A file that the secret is printed to gets permissions for its owner only.`
}

// Help gives examples.
func (guestCommand) Help() string {
	return `Examples:

  archibald-bridge guest --peer 192.168.122.1

  archibald-bridge guest --peer 192.168.122.1 --connect 'SuperCollider:out_* -> archibald-to-host:in_*'`
}

// Help gives examples.
func (hostCommand) Help() string {
	return `Examples:

  archibald-bridge host --peer 192.168.122.2 --latency 2ms

  archibald-bridge host --backend jack --jack-server default

  archibald-bridge host --backend portaudio --output-device 3

  archibald-bridge host --static --peer 192.168.122.2 --format L24`
}

// newParser builds the parser. Exit is called after help was printed.
func newParser(commands *grammar, stdout, stderr io.Writer, exit func(int)) (*kong.Kong, error) {
	options := []kong.Option{
		kong.Name(programName), kong.Description(summary),
		kong.Writers(stdout, stderr), kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100}),
		kong.PostBuild(describeFlags),
	}
	for _, owner := range []any{config.Common{}, config.Guest{}, config.Host{}, statusCommand{}, benchCommand{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(owner)) {
			if field.Type.Kind() != reflect.Bool && field.Type.Kind() != reflect.Slice {
				options = append(options, kong.TypeMapper(field.Type, kong.MapperFunc(parseValue)))
			}
		}
	}
	return kong.New(commands, options...)
}

// describeFlags adds to the help of every flag what is legal, where its
// placeholder does not say it, and the default, where it is not nothing.
func describeFlags(k *kong.Kong) error {
	for _, command := range k.Model.Children {
		end := config.End(command.Name)
		if !slices.Contains(config.Ends, end) {
			continue
		}
		keys := config.Keys(end)
		for _, flag := range command.Flags {
			i := slices.IndexFunc(keys, func(key config.Key) bool { return key.Name == flag.Name })
			if i < 0 {
				continue
			}
			var notes []string
			if !flag.IsBool() && !strings.Contains(flag.PlaceHolder, "|") {
				notes = append(notes, keys[i].Legal)
			}
			if value := keys[i].Text(config.Default(end)); !slices.Contains([]string{"", "0", "0s", "[]", "false"}, value) {
				notes = append(notes, "default "+value)
			}
			if len(notes) > 0 {
				flag.Help += " (" + strings.Join(notes, "; ") + ")"
			}
		}
	}
	return nil
}

// parseValue reads the value of a flag. Its errors have the same form as those
// about a key of a file.
func parseValue(ctx *kong.DecodeContext, target reflect.Value) error {
	wrong := &config.Error{Where: ctx.Value.ShortSummary(), Legal: ctx.Value.Tag.Get("legal")}
	token, err := ctx.Scan.PopValue("value")
	if token.IsEOL() {
		return wrong
	}
	text := fmt.Sprint(token.Value)
	wrong.Value = text
	if err != nil {
		return wrong // the next flag instead of a value
	}
	switch value := target.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		if value.UnmarshalText([]byte(text)) != nil {
			return wrong
		}
	case *int:
		if *value, err = strconv.Atoi(text); err != nil {
			return wrong
		}
	default:
		target.SetString(text)
	}
	return nil
}

// oneLine makes one line of an error that has several.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
