package cli

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/proto"
)

const (
	programName = "archibald-bridge"
	summary     = "Low-latency sound between a virtual machine (jackd, SuperCollider) and its host (PipeWire), over RTP on port 4713."
)

// grammar is the command line. The flags of guest and host are the keys of the
// configuration.
type grammar struct {
	Guest   guestCommand   `cmd:"" help:"Run the end in the virtual machine, beside jackd or PipeWire."`
	Host    hostCommand    `cmd:"" help:"Run the end on the host, beside PipeWire or jackd, or on a device."`
	Status  statusCommand  `cmd:"" help:"Print what the ends running on this machine are doing."`
	Devices devicesCommand `cmd:"" help:"List the devices of the backend portaudio."`
	Bench   benchCommand   `cmd:"" help:"Measure the round trip through the bridge, on the guest."`
	Config  configCommand  `cmd:"" help:"Work with configuration files."`
	Keygen  keygenCommand  `cmd:"" help:"Print a new secret for --secret-file."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

type guestCommand struct {
	ConfigFile string `name:"config" placeholder:"FILE" help:"Read this TOML file; flags win over it."`
	config.Config
}

type hostCommand struct {
	ConfigFile string `name:"config" placeholder:"FILE" help:"Read this TOML file; flags win over it."`
	config.Config
}

type statusCommand struct {
	JSON    bool   `name:"json" help:"One line of JSON for each end that answers."`
	Address string `placeholder:"HOST:PORT" help:"Ask there instead of at both ends' usual addresses."`
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

  archibald-bridge guest --peer 192.168.122.1 --connect 'SuperCollider:out_* -> archibald-to-host:in_*'

  archibald-bridge guest --peer 192.168.122.1 --backend pipewire --guest-period 64`
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
		kong.PostBuild(makeFlags),
	}
	for _, owner := range []any{config.Config{}, statusCommand{}, benchCommand{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(owner)) {
			if field.Type.Kind() != reflect.Bool && field.Type.Kind() != reflect.Slice {
				options = append(options, kong.TypeMapper(field.Type, kong.MapperFunc(parseValue)))
			}
		}
	}
	return kong.New(commands, options...)
}

// ownDomains are what the flags that are no keys may be.
var ownDomains = map[string]config.Domain{
	"config":  config.AnyText("the path of a TOML file"),
	"address": config.AnyText("HOST:PORT"),
	"seconds": config.Between(1, 600, ""),
	"to":      config.Like(".*:.*", "CLIENT:PORT"),
	"from":    config.Like("none|.*:.*", "CLIENT:PORT or none"),
}

// makeFlags leaves to the commands of the ends the flags that are keys of that end, in
// the order of the keys, and says of every flag what is legal and the default.
func makeFlags(k *kong.Kong) error {
	for _, command := range k.Model.Children {
		role := proto.Role(command.Name)
		if slices.Contains(config.Roles, role) {
			command.Flags = flagsOf(role, command.Flags)
		}
		usual := config.Default(role)
		for _, flag := range command.Flags {
			if key, isKey := config.FindKey(flag.Name); isKey {
				flag.PlaceHolder = key.ValueName()
				flag.Help = key.Help + notes(key.Domain, key.Conditions(), key.Text(usual))
			} else if domain, known := ownDomains[flag.Name]; known {
				flag.Help += notes(domain, nil, flag.Default)
			}
		}
	}
	return nil
}

// flagsOf are those of the flags that an end has.
func flagsOf(role proto.Role, flags []*kong.Flag) []*kong.Flag {
	var has []*kong.Flag
	fields := map[string]*kong.Flag{}
	for _, flag := range flags {
		if _, isKey := config.FindKey(flag.Name); isKey {
			fields[flag.Name] = flag
		} else {
			has = append(has, flag)
		}
	}
	for _, key := range config.Keys(role) {
		has = append(has, fields[key.Name])
	}
	return has
}

// notes says in parentheses what is legal, where the name of the value does not say
// it, and the default, where it is not nothing.
func notes(domain config.Domain, conditions []string, usual string) string {
	all := conditions
	if domain.Type != config.Bool && domain.Type != config.Choice {
		all = append([]string{domain.String()}, all...)
	}
	if !slices.Contains([]string{"", "0", "0s", "false"}, usual) {
		all = append(all, "default "+usual)
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, "; ") + ")"
}

// parseValue reads the value of a flag. Its errors have the same form as those
// about a key of a file.
func parseValue(ctx *kong.DecodeContext, target reflect.Value) error {
	key, isKey := config.FindKey(ctx.Value.Name)
	if !isKey {
		key.Domain = ownDomains[ctx.Value.Name]
	}
	wrong := &fault.WrongValue{Where: ctx.Value.ShortSummary(), Legal: key.Domain.String()}
	token, err := ctx.Scan.PopValue("value")
	if token.IsEOL() {
		return wrong
	}
	wrong.Value = fmt.Sprint(token.Value)
	if err != nil || key.Read(wrong.Value, target) != nil {
		return wrong // err: the next flag instead of a value
	}
	return nil
}

// oneLine makes one line of an error that has several.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
