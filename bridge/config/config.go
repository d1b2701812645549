package config

import (
	"os"
	"strconv"

	"archibald-bridge/proto"
)

// Config is the whole configuration of one end. What only the other end has is left
// at its defaults. The tag is the name of the field's key, which Groups declares.
type Config struct {
	Role proto.Role `kong:"-"`

	Peer       Peer     `name:"peer"`
	Listen     Socket   `name:"listen"`
	Allow      Prefixes `name:"allow"`
	SecretFile string   `name:"secret-file"`
	Static     bool     `name:"static"`

	SDPIn              string     `name:"sdp-in"`
	SDPOut             string     `name:"sdp-out"`
	SAPAnnounce        bool       `name:"sap-announce"`
	SAPReceive         string     `name:"sap-receive"`
	SAPNetworks        Networks   `name:"sap-networks"`
	Ptime              PacketTime `name:"ptime"`
	MulticastTTL       int        `name:"multicast-ttl"`
	MulticastInterface string     `name:"multicast-interface"`

	Channels        int            `name:"channels"`
	SendChannels    int            `name:"send-channels"`
	ReceiveChannels int            `name:"receive-channels"`
	Format          proto.Encoding `name:"format"`
	OpusBitrate     int            `name:"opus-bitrate"`
	Rate            int            `name:"rate"`

	Latency            Latency         `name:"latency"`
	GapsPerHour        int             `name:"gaps-per-hour"`
	Clock              proto.ClockWish `name:"clock"`
	AnswerPeriods      string          `name:"answer-periods"`
	Wait               Duration        `name:"wait"`
	Redundancy         int             `name:"redundancy"`
	RedundancyDistance int             `name:"redundancy-distance"`

	CPUSleep string `name:"cpu-sleep"`
	CPUs     CPUs   `name:"cpus"`

	Name         string       `name:"name"`
	StatusListen StatusSocket `name:"status-listen"`
	LogFormat    string       `name:"log-format"`
	LogLevel     string       `name:"log-level"`

	Backend      string     `name:"backend"`
	JackServer   string     `name:"jack-server"`
	NetonePort   int        `name:"netone-port"`
	OutputDevice string     `name:"output-device"`
	InputDevice  string     `name:"input-device"`
	HostPeriod   int        `name:"host-period"`
	GuestPeriod  int        `name:"guest-period"`
	ChannelMap   ChannelMap `name:"channel-map"`
	FromGuest    string     `name:"from-guest"`
	Guests       int        `name:"guests"`
	Connect      []string   `name:"connect" sep:"none"`

	// Incoming is what the file of SDPIn says; nil without one.
	Incoming *proto.Description `kong:"-"`
	// Secret is what the file of SecretFile holds; nil without one.
	Secret []byte `kong:"-"`
}

// AnswerAuto of Config.AnswerPeriods: 1, or 2 where 1 is too few.
const AnswerAuto = "auto"

// netonePort is where jackd -d netone listens unless it is told otherwise.
const netonePort = 3000

// Values of Config.CPUSleep.
const (
	CPUSleepPrevent = "prevent" // hold /dev/cpu_dma_latency at 0 while a session is up
	CPUSleepAllow   = "allow"
)

// Values of Config.FromGuest.
const (
	FromGuestStream = "stream" // PipeWire Stream/Output/Audio
	FromGuestSource = "source" // PipeWire Audio/Source
)

// Values of Config.LogFormat.
const (
	LogText = "text"
	LogJSON = "json"
)

// The bounds of the periods that an audio server can be asked for, in frames. A backend
// may have narrower ones (audio.Capabilities).
const (
	minPeriod = 16
	maxPeriod = 8192
)

// Values of Config.LogLevel.
const (
	LogInfo  = "info"
	LogDebug = "debug"
)

// PeriodFrames is the period that this end asks its audio server for; 0: the server's own.
func (c Config) PeriodFrames() int {
	if c.Role == proto.Guest {
		return c.GuestPeriod
	}
	return c.HostPeriod
}

// Answers is in how many periods the follower's sound must be back; 0: found out.
func (c Config) Answers() int {
	periods, _ := strconv.Atoi(c.AnswerPeriods)
	return periods
}

// locks says that this end is to lead or to follow.
func (c Config) locks() bool { return c.Clock == proto.ClockLead || c.Clock == proto.ClockFollow }

// Default returns the configuration of an end for which nothing was set.
func Default(role proto.Role) Config {
	c := Config{Role: role}
	for _, group := range Groups {
		for _, key := range group.Keys {
			field := key.field(&c)
			if key.Type == List {
				continue // none
			}
			if value := os.Getenv(key.DefaultEnv); value != "" && key.Read(value, field) == nil {
				continue
			}
			if err := key.Read(key.DefaultOf(role), field); err != nil {
				panic("config: default of " + key.Name + ": " + err.Error())
			}
		}
	}
	return c
}
