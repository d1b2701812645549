package config

import (
	"net/netip"
	"os"

	"archibald-bridge/proto"
)

// End says which side of the bridge a configuration is for.
type End string

// The two ends.
const (
	EndGuest End = "guest" // beside jackd, in the virtual machine
	EndHost  End = "host"  // beside PipeWire, or a JACK server
)

// Ends lists both ends.
var Ends = []End{EndGuest, EndHost}

// Config is the whole configuration of one end. The part of the other end is
// left at its defaults.
type Config struct {
	End End `toml:"-" kong:"-"`
	Common
	Guest
	Host
	// Incoming is what the file of SDPIn says; nil without one.
	Incoming *proto.Description `toml:"-" kong:"-"`
	// Secret is what the file of SecretFile holds; nil without one.
	Secret []byte `toml:"-" kong:"-"`
}

// Common holds the keys that both ends have. The tag toml is the key and the
// flag, help describes it, legal completes the sentence "legal is ...".
type Common struct {
	Peer               Peer           `toml:"peer" placeholder:"HOST[:PORT]" help:"The other end. Without it, wait to be called." legal:"HOST or HOST:PORT (port 1 to 65535, else 4713)"`
	Listen             Socket         `toml:"listen" placeholder:"ADDR:PORT" help:"Where this end can be reached: RTP by UDP, the session by TCP." legal:"IP-ADDRESS:PORT (port 1 to 65535)"`
	Allow              Prefixes       `toml:"allow" placeholder:"PREFIXES" help:"Whose addresses may call, besides the peer's. With a secret file whoever proves the secret may." legal:"empty, or addresses and networks such as 192.168.122.0/24,10.0.0.7"`
	SecretFile         string         `toml:"secret-file" name:"secret-file" placeholder:"FILE" help:"Both ends prove to each other that they have the secret in this file; make it with archibald-bridge keygen." legal:"empty, or the path of a file that archibald-bridge keygen wrote and only its owner can read"`
	Channels           int            `toml:"channels" placeholder:"N" help:"Channels in each direction." legal:"1 to 64"`
	SendChannels       int            `toml:"send-channels" placeholder:"N" help:"Channels sent to the peer; 0: as --channels." legal:"0 to 64"`
	ReceiveChannels    int            `toml:"receive-channels" placeholder:"N" help:"Channels received from the peer; 0: as --channels." legal:"0 to 64"`
	Format             proto.Encoding `toml:"format" placeholder:"L16|L24|F32|opus" help:"Sample format on the wire; empty: F32 between our own ends. opus: for remote and lossy paths." legal:"L16, L24, F32, opus (at most 2 channels, 48000 Hz) or empty"`
	OpusBitrate        int            `toml:"opus-bitrate" name:"opus-bitrate" placeholder:"BIT/S" help:"Bitrate of Opus, of all channels together." legal:"16000 to 510000"`
	Rate               int            `toml:"rate" placeholder:"HZ" help:"Sample rate the audio server must have; 0: whatever it has." legal:"0, or 8000 to 192000"`
	Latency            Latency        `toml:"latency" placeholder:"auto|2ms|96frames" help:"One-way latency of the bridge." legal:"auto, a time up to 200ms (2ms), or 1 to 9600 frames (96frames)"`
	Clock              string         `toml:"clock" placeholder:"auto|free" help:"How the receiver follows the sender's clock. free: always resample." legal:"auto or free"`
	Redundancy         int            `toml:"redundancy" placeholder:"N" help:"How many times each packet is sent again; the larger wish of the two ends counts." legal:"0 to 2"`
	RedundancyDistance int            `toml:"redundancy-distance" placeholder:"PERIODS" help:"How many periods (of Opus, packets) apart, against losses in a row; 0: at once, which adds no latency." legal:"0 to 8"`
	CPUSleep           string         `toml:"cpu-sleep" placeholder:"prevent|allow" help:"Whether the processors may sleep while a session is up. prevent: less jitter, more power." legal:"prevent or allow"`
	CPUs               CPUs           `toml:"cpus" name:"cpus" placeholder:"LIST" help:"Processors that the audio threads of this program may run on; empty: any." legal:"empty, or processor numbers 0 to 1023 such as 2,3 or 2-5"`
	Name               string         `toml:"name" placeholder:"NAME" help:"Name of this bridge, where there are several: it becomes part of client, node and session names." legal:"at most 32 of a-z, 0-9 and -"`
	Static             bool           `toml:"static" help:"No session: the peer is a plain RTP address. Needs --peer and --format." legal:"true or false, and true only with a peer and a format, or with sdp-in or sap-receive"`
	SDPIn              string         `toml:"sdp-in" name:"sdp-in" placeholder:"FILE" help:"Receive the plain RTP stream that this SDP file describes; no session." legal:"empty, or the path of an SDP file of a stream in L16, L24, F32 or opus"`
	SDPOut             string         `toml:"sdp-out" name:"sdp-out" placeholder:"FILE" help:"Write the SDP of the stream sent, for programs that receive it." legal:"empty, or with static and a peer the path of a file to write"`
	SAPAnnounce        bool           `toml:"sap-announce" name:"sap-announce" help:"Announce the stream sent without a session (SAP)." legal:"true or false, and true only with static and a peer"`
	SAPReceive         string         `toml:"sap-receive" name:"sap-receive" placeholder:"NAME" help:"Receive the stream that is announced under this session name (SAP)." legal:"empty, or the name of a session, and not with sdp-in"`
	SAPNetworks        Networks       `toml:"sap-networks" name:"sap-networks" placeholder:"LIST" help:"Networks that the group of an announced stream may be in." legal:"multicast networks such as 239.0.0.0/8,224.0.0.0/24"`
	Ptime              Duration       `toml:"ptime" placeholder:"TIME" help:"Packet time of Opus, or of the stream sent without a session; 0: 5 ms, or a packet each period." legal:"0, with format opus 2.5ms, 5ms, 10ms or 20ms, or with static a time from 0.1ms to 20ms (1ms)"`
	MulticastTTL       int            `toml:"multicast-ttl" name:"multicast-ttl" placeholder:"N" help:"How many routers a stream to a multicast group may cross." legal:"1 to 255"`
	MulticastInterface string         `toml:"multicast-interface" placeholder:"NAME" help:"Network interface of multicast; empty: as the routes say, of an announced stream where it is announced." legal:"empty, or the name of a network interface"`
	JackServer         string         `toml:"jack-server" placeholder:"NAME" help:"Name of the JACK server, as given to jackd --name." legal:"a name that is not empty"`
	StatusListen       StatusSocket   `toml:"status-listen" placeholder:"ADDR:PORT|off" help:"Where the status page is served." legal:"IP-ADDRESS:PORT (port 1 to 65535) or off"`
	LogFormat          string         `toml:"log-format" placeholder:"text|json" help:"Form of the log on standard error." legal:"text or json"`
	Wait               Duration       `toml:"wait" placeholder:"DURATION" help:"How long to wait for the audio server and the peer before giving up with exit code 3; 0: for ever." legal:"0 or a time (30s)"`
}

// Guest holds the keys that only the guest has.
type Guest struct {
	Connect []string `toml:"connect" sep:"none" placeholder:"'FROM -> TO'" help:"Connect ports whenever they appear; * stands for anything. Repeatable." legal:"'CLIENT:PORT -> CLIENT:PORT', where * stands for anything"`
}

// Host holds the keys that only the host has.
type Host struct {
	Backend      string     `toml:"backend" placeholder:"pipewire|jack|portaudio" help:"The audio server, or PortAudio for devices without one." legal:"pipewire, jack or portaudio"`
	OutputDevice string     `toml:"output-device" placeholder:"NAME|NUMBER" help:"What PortAudio plays on, as archibald-bridge devices lists it; empty: the default, none: nothing." legal:"empty, or with the backend portaudio none or the name or number of a device"`
	InputDevice  string     `toml:"input-device" placeholder:"NAME|NUMBER" help:"What PortAudio records from, as archibald-bridge devices lists it; empty: the default, none: silence." legal:"empty, or with the backend portaudio none or the name or number of a device"`
	HostPeriod   int        `toml:"host-period" placeholder:"FRAMES" help:"Period asked of PipeWire or PortAudio; 0: the server's own." legal:"0, or 16 to 8192 with the backend pipewire, 240 to 8192 with portaudio"`
	Guests       int        `toml:"guests" placeholder:"N" help:"How many guests are served at once, each with nodes named after the guest's --name, and a UDP port from --listen's on." legal:"1 to 64, more than 1 only with the backend pipewire and without peer, name and static"`
	ChannelMap   ChannelMap `toml:"channel-map" name:"channel-map" placeholder:"LIST" help:"Positions of the channels of the nodes, which name their ports; empty: the usual ones up to 8 channels, then AUX0, AUX1 ..." legal:"empty, or with the backend pipewire a different position for each channel of both directions, all of FL FR FC LFE RL RR SL SR RC and so on (FL,FR,RL,RR) or all of AUX0 to AUX63"`
	FromGuest    string     `toml:"from-guest" placeholder:"stream|source" help:"What the guest's sound is on the host: a stream that plays, or a source to record from." legal:"stream, or source with the backend pipewire"`
}

// Values of Config.Clock.
const (
	ClockAuto = "auto" // resample unless both graphs are seen to share a clock
	ClockFree = "free" // always resample
)

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

// Values of Config.Backend.
const (
	BackendPipeWire  = "pipewire"
	BackendJack      = "jack"
	BackendPortAudio = "portaudio"
)

// Default returns the configuration of an end for which nothing was set. The
// JACK server is $JACK_DEFAULT_SERVER if that is set, as for every JACK program
// (jackd(1)).
func Default(end End) Config {
	c := Config{
		End: end,
		Common: Common{
			Listen:     mustSocket("0.0.0.0:4713"),
			Allow:      mustPrefixes("127.0.0.0/8,::1/128,192.168.122.0/24"),
			Channels:   2,
			Latency:    Latency{Auto: true},
			Clock:      ClockAuto,
			CPUSleep:   CPUSleepPrevent,
			JackServer: "default",
			LogFormat:  LogText,

			SAPNetworks:  Networks{[]netip.Prefix{netip.MustParsePrefix("239.0.0.0/8")}},
			MulticastTTL: 1,

			OpusBitrate: 128000,
		},
		Host: Host{Backend: BackendPipeWire, Guests: 1, FromGuest: FromGuestStream},
	}
	if server := os.Getenv("JACK_DEFAULT_SERVER"); server != "" {
		c.JackServer = server
	}
	c.StatusListen.Socket = mustSocket("127.0.0.1:8713")
	if end == EndHost {
		c.StatusListen.Socket = mustSocket("127.0.0.1:8714")
	}
	return c
}
