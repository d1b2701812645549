package config

import (
	"fmt"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/proto"
)

// Patterns of the texts that several keys share. They are wider than what the fields'
// types read.
const (
	timePattern     = `[+]?(0|(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|us|µs|μs|ms|s|m|h))+)`
	networkPattern  = `[[:space:]]*[0-9A-Fa-f.:]+(%[^,/[:space:]]+)?(/[0-9]+)?[[:space:]]*`
	networksPattern = networkPattern + `(,` + networkPattern + `)*`
	cpuPattern      = `[0-9]+(-[0-9]+)?`
)

// Groups declares every key. A key of a new kind needs no more than an entry here, its
// field in Config, and the code that uses it; the file, the flags, the checks, the
// options of NixOS and the reference follow (go generate ./bridge/config).
var Groups = []Group{
	{"The peer", []Key{
		{
			Name: "peer", Placeholder: "HOST[:PORT]",
			Domain:   Like(`[^[:space:]/@?#,]*`, fmt.Sprintf("HOST or HOST:PORT (port 1 to 65535, else %d)", proto.Port)),
			Help:     "The other end. Without it, wait to be called.",
			More:     "Either end may call; one of the two must.",
			Examples: []string{"192.168.122.2", "studio.lan:5000", "fe80::1%eth0"},
		},
		{
			Name: "listen", Placeholder: "ADDR:PORT",
			Domain:  Like(`[^[:space:]]+:[0-9]+`, "IP-ADDRESS:PORT (port 1 to 65535)"),
			Default: fmt.Sprintf("0.0.0.0:%d", proto.Port),
			Help:    "Where this end can be reached: RTP by UDP, the session by TCP.",
			More: "0.0.0.0 is every IPv4 network of this machine, [::] every network. Unset, it is [::] with a peer that is an IPv6 " +
				"address, with a stream of sdp-in that has one (there with the stream's port), and with IPv6 in sap-networks.",
			Examples: []string{"192.168.122.2:5000"},
		},
		{
			Name: "allow", Placeholder: "PREFIXES",
			Domain:   Like(`(`+networksPattern+`)?`, "empty, or addresses and networks such as 192.168.122.0/24,10.0.0.7"),
			Default:  "127.0.0.0/8,::1/128,192.168.122.0/24",
			Help:     "Whose addresses may call, besides the peer's. With a secret file whoever proves the secret may.",
			More:     "Nobody else gets an answer. The default is this machine and the network of libvirt's virtual machines.",
			Examples: []string{"192.168.122.0/24,10.0.0.7"},
		},
		{
			Name: "secret-file", Placeholder: "FILE",
			Domain: AnyText("empty, or the path of a file that archibald-bridge keygen wrote and only its owner can read"),
			Help:   "Both ends prove to each other that they have the secret in this file; make it with archibald-bridge keygen.",
			More: "Whoever proves it may call, from anywhere, and nobody else may. The sound itself is not encrypted " +
				"(docs/security.md).",
		},
		{
			Name: "static", Domain: YesNo(), Default: "false",
			Help: "No session: the peer is a plain RTP address. Needs a peer and a format.",
			More: "The peer takes and sends what is configured here. A peer that is a multicast group is only sent to.",
		},
	}},
	{"Plain RTP, without a session", []Key{
		{
			Name: "sdp-in", Placeholder: "FILE",
			Domain: AnyText("empty, or the path of an SDP file of a stream in L16, L24, F32 or opus"),
			Help:   "Receive the plain RTP stream that this SDP file describes; no session.",
			More: "GStreamer, ffmpeg, PipeWire and AES67 devices write such files. Rate, channels, port and multicast group are " +
				"the file's. Without a peer nothing is sent.",
		},
		{
			Name: "sdp-out", Placeholder: "FILE",
			Domain: AnyText("empty, or the path of a file to write"),
			Help:   "Write the SDP of the stream sent, for programs that receive it.",
		},
		{
			Name: "sap-announce", Domain: YesNo(), Default: "false",
			Help: "Announce the stream sent without a session (SAP).",
			More: "PipeWire and AES67 devices then find it (RFC 2974).",
		},
		{
			Name: "sap-receive", Placeholder: "NAME",
			Domain: AnyText("empty, or the name of a session"),
			Help:   "Receive the stream that is announced under this session name (SAP).",
			More:   "Nobody proves an announcement: use it only in a network that you trust.",
		},
		{
			Name: "sap-networks", Placeholder: "LIST",
			Domain:   Like(networksPattern, "multicast networks such as 239.0.0.0/8,224.0.0.0/24"),
			Default:  "239.0.0.0/8",
			Help:     "Networks that the group of an announced stream may be in.",
			Examples: []string{"239.0.0.0/8,224.0.0.0/24"},
		},
		{
			Name: "ptime", Placeholder: "TIME",
			Domain:  Like(timePattern, fmt.Sprintf("0, or a time from %v to %v (1ms)", minPtime, maxPtime)),
			Default: "0",
			Help:    "Packet time of Opus, or of the stream sent without a session; 0: 5 ms, or a packet each period.",
			More:    "AES67 devices want 1ms.",
		},
		{
			Name: "multicast-ttl", Domain: Between(1, 255, ""), Default: "1",
			Help: "How many routers a stream to a multicast group may cross.",
		},
		{
			Name: "multicast-interface", Placeholder: "NAME",
			Domain: Like(`[^/[:space:]]{0,15}`, "empty, or the name of a network interface"), // IFNAMSIZ (netdevice(7))
			Help:   "Network interface of multicast; empty: as the routes say, of an announced stream where it is announced.",
		},
	}},
	{"The sound", []Key{
		{
			Name: "channels", Domain: Between(1, proto.MaxChannels, ""), Default: "2",
			Help: "Channels in each direction.",
		},
		{
			Name: "send-channels", Domain: Between(0, proto.MaxChannels, ""), Default: "0",
			Help: "Channels sent to the peer; 0: as channels.",
		},
		{
			Name: "receive-channels", Domain: Between(0, proto.MaxChannels, ""), Default: "0",
			Help: "Channels received from the peer; 0: as channels.",
		},
		{
			Name: "format", Domain: OneOf(proto.L16, proto.L24, proto.F32, proto.Opus, ""),
			Help: "Sample format on the wire; empty: F32 between our own ends. opus: for remote and lossy paths.",
			More: "F32 is exact and cannot clip. Other RTP programs understand L24 (clips above 0 dBFS) and L16. Both ends must set " +
				"opus, which adds latency and is not exact.",
		},
		{
			Name: "opus-bitrate", Domain: Between(leastBitrate, mostBitrate, "bit/s"), Default: "128000",
			Help: "Bitrate of Opus, of all channels together.",
		},
		{
			Name: "rate", Domain: ZeroOr(8000, 192000, "Hz"), Default: "0",
			Help: "Sample rate the audio server must have; 0: whatever it has.",
			More: "0 is 48000 with the backend portaudio, where the device takes it. The bridge never changes the server's rate.",
		},
	}},
	{"Time", []Key{
		{
			Name: "latency", Placeholder: "auto|2ms|96frames",
			Domain: Like(`auto|[+]?[0-9]+frames|`+timePattern,
				fmt.Sprintf("auto, a time up to %v (2ms), or 1 to %d frames (96frames)", maxLatency, maxLatencyFrames)),
			Default: "auto",
			Help:    "One-way latency of the bridge.",
			More: "It is the time from the sender's audio callback to the receiver's callback for the same frame. auto: as small as " +
				"this network and these two machines allow, found by measuring.",
			Examples: []string{"2ms", "96frames"},
		},
		{
			Name: "gaps-per-hour", Domain: Between(0, mostGapsPerHour, ""), Default: "30",
			Help: "How many gaps an hour latency auto lets pass before it takes a larger latency; 0: as few as can be had.",
			More: "A gap is counted where a larger latency would have avoided it. Each one is concealed, and mostly a millisecond or two " +
				"long. The log says each change, and what it buys.",
		},
		{
			Name: "clock", Domain: OneOf(proto.ClockWishes...), Default: string(proto.ClockAuto),
			Help: "Whose clock the graph has. lead, follow: one end's cycles drive the other end's graph. free: its own; always resample.",
			More: "auto: its own, and no resampling where both graphs are seen to share one clock; but it takes the other part where the " +
				"peer is to lead or to follow. A follower runs at the leader's rate and period, and what goes to it and comes back takes one " +
				"period. PipeWire can follow, and JACK as jackd -S -d netone (netone-port).",
		},
		{
			Name: "answer-periods", Domain: OneOf(AnswerAuto, "1", "2"), Default: AnswerAuto,
			Help: "Of an end that leads: in how many periods the follower's sound must be back.",
			More: "2 where packet, graph and answer together need more than a period. auto: 1, and 2 from then on when more than 1 cycle in 10,000 of " +
				"a minute has no answer in time.",
		},
		{
			Name: "wait", Placeholder: "DURATION",
			Domain: Like(timePattern, "0 or a time (30s)"), Default: "0",
			Help:     "How long to wait for the audio server and the peer before giving up with exit code 3; 0: forever.",
			Examples: []string{"30s"},
		},
	}},
	{"Loss", []Key{
		{
			Name: "redundancy", Domain: Between(0, proto.MaxRedundancy, ""), Default: "0",
			Help: "How many times each packet is sent again; the larger wish of the two ends counts.",
			More: "It counts in both directions. The receiver takes the copy that comes; each one costs the bandwidth of the stream again.",
		},
		{
			Name: "redundancy-distance", Domain: Between(0, proto.MaxRedundancyDistance, "periods"), Default: "0",
			Help: "How many periods (of Opus, packets) apart, against losses in a row; 0: at once, which adds no latency.",
			More: "0 helps where packets are lost one by one. 2 with redundancy 1: packets lost two in a row come again, and the " +
				"latency is two periods more.",
		},
	}},
	{"The machine", []Key{
		{
			Name: "cpu-sleep", Domain: OneOf(CPUSleepPrevent, CPUSleepAllow), Default: CPUSleepPrevent,
			Help: "Whether the processors may sleep while a session is up. prevent: less jitter, more power.",
			More: "prevent needs write access to /dev/cpu_dma_latency; without, the log says how to give it.",
		},
		{
			Name: "cpus", Placeholder: "LIST",
			Domain:   Like(`(`+cpuPattern+`(,`+cpuPattern+`)*)?`, fmt.Sprintf("empty, or processor numbers 0 to %d such as 2,3 or 2-5", maxCPU)),
			Help:     "Processors that the audio threads of this program may run on; empty: any.",
			More:     "Those that the kernel keeps free of other work (isolcpus) are the ones to name.",
			Examples: []string{"2,3", "2-5"},
		},
	}},
	{"Name, status, log", []Key{
		{
			Name: "name", Placeholder: "NAME",
			Domain:   Like(`[a-z0-9-]{0,32}`, "at most 32 of a-z, 0-9 and -"),
			Help:     "Name of this bridge, where there are several: it becomes part of client, node and session names.",
			More:     `"lab" makes the JACK client archibald-lab-to-host.`,
			Examples: []string{"lab"},
		},
		{
			Name: "status-listen", Placeholder: "ADDR:PORT|off",
			Domain:  Like(`off|[^[:space:]]+:[0-9]+`, "IP-ADDRESS:PORT (port 1 to 65535) or off"),
			Default: "127.0.0.1:8713", HostDefault: "127.0.0.1:8714",
			Help:     "Where the status page is served.",
			More:     "Its JSON and its metrics are there, too. Whoever can reach it can read it.",
			Examples: []string{"off"},
		},
		{
			Name: "log-format", Domain: OneOf(LogText, LogJSON), Default: LogText,
			Help: "Form of the log on standard error.",
		},
		{
			Name: "log-level", Domain: OneOf(LogInfo, LogDebug), Default: LogInfo,
			Help: "How much the log says. debug: also what libjack says by itself.",
		},
	}},
	{"The audio server", []Key{
		{
			Name: "backend", Domain: OneOf(audio.With(func(audio.Capabilities) bool { return true })...),
			Default: audio.Jack, HostDefault: audio.PipeWire,
			Help: "The audio server, or PortAudio for devices without one.",
			More: "jack: two clients of a JACK server, archibald-to-guest and archibald-from-guest on the host. pipewire: two nodes " +
				"of those names; on the guest a sink archibald-to-host and a source archibald-from-host. portaudio: a device, at a period " +
				"of 5 ms or more; the program must be built for it (make build TAGS=portaudio).",
		},
		{
			Name: "jack-server", Placeholder: "NAME",
			Domain: Like(`.+`, "a name that is not empty"), Default: "default", DefaultEnv: "JACK_DEFAULT_SERVER",
			Help: "Name of the JACK server, as given to jackd --name.",
			More: "Looked at only with the backend jack.",
		},
		{
			Name: "netone-port", Domain: ZeroOr(1, 65535, ""), Default: "0",
			Help: "UDP port of a jackd -S -d netone of this machine, whose cycles the peer's packets are to drive; 0: none.",
			More: "Only with the backend jack. With clock follow it is 3000, which is netone's own, unless another is given.",
		},
		{
			Name: "output-device", Placeholder: "NAME|NUMBER",
			Domain: AnyText("empty, none or the name or number of a device"),
			Help:   "What PortAudio plays on, as archibald-bridge devices lists it; empty: the default, none: nothing.",
			More:   "Part of a name will do.",
		},
		{
			Name: "input-device", Placeholder: "NAME|NUMBER",
			Domain: AnyText("empty, none or the name or number of a device"),
			Help:   "What PortAudio records from, as archibald-bridge devices lists it; empty: the default, none: silence.",
			More:   "Part of a name will do.",
		},
		{
			Name: "host-period", Only: proto.Host, Domain: ZeroOr(minPeriod, maxPeriod, "frames"), Default: "0",
			Help: "Period asked of PipeWire or PortAudio; 0: the server's own.",
			More: "0 is 5 ms with portaudio, rounded up to a power of two. A JACK server cannot be asked.",
		},
		{
			Name: "guest-period", Only: proto.Guest, Domain: ZeroOr(minPeriod, maxPeriod, "frames"), Default: "0",
			Help: "Period asked of PipeWire or PortAudio; 0: the server's own.",
			More: "As host-period is for the host.",
		},
		{
			Name: "channel-map", Placeholder: "LIST",
			Domain: Like(`[A-Za-z0-9,[:space:]]*`, "empty, or different positions, all of FL FR FC LFE RL RR SL SR RC and so on (FL,FR,RL,RR) "+
				"or all of AUX0 to AUX63"),
			Help: "Positions of the channels of the nodes, which name their ports; empty: the usual ones up to 8 channels, then AUX0, AUX1 ...",
			More: "A position is where a channel is meant to be heard. More than two channels are never mixed: each has a port of " +
				"its own.",
		},
		{
			Name: "from-guest", Only: proto.Host, Domain: OneOf(FromGuestStream, FromGuestSource), Default: FromGuestStream,
			Help: "What the guest's sound is on the host: a stream that plays, or a source to record from.",
			More: "A stream plays as any player's sound does. A source can be recorded from, as a microphone.",
		},
		{
			Name: "guests", Only: proto.Host, Domain: Between(1, 64, ""), Default: "1",
			Help: "How many guests are served at once, each with nodes named after the guest's name, and a UDP port from listen's on.",
		},
		{
			Name: "connect", Only: proto.Guest, Placeholder: "'FROM -> TO'",
			Domain: ListOf(`.+:.+->.+:.+`, "'CLIENT:PORT -> CLIENT:PORT', where * stands for anything"),
			Help:   "Connect ports whenever they appear; * stands for anything. Repeatable.",
			More:   "The examples are both sides of a SuperCollider whose environment does not already connect them.",
			Examples: []string{
				"SuperCollider:out_* -> archibald-to-host:in_*",
				"archibald-from-host:out_* -> SuperCollider:in_*",
			},
		},
	}},
}
