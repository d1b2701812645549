package proto

import (
	"net/netip"
	"slices"
	"strings"
)

// deviceSDP is what devices and programs write of a stream that they send, and what it
// says.
var deviceSDP = map[string]struct {
	text string
	want Description
}{
	"plain": {
		"v=0\no=- 1 1 IN IP4 192.0.2.10\ns=desk\nc=IN IP4 239.69.1.7/1\nt=0 0\nm=audio 5004 RTP/AVP 97\na=rtpmap:97 L24/48000/2\n",
		Description{
			Name: "desk", Revision: 1, Address: netip.MustParseAddr("239.69.1.7"), TTL: 1, Port: 5004,
			Payloads: []Payload{{97, L24}}, RateHz: 48000, SendChannels: 2,
		},
	},
	"microphone": {
		"v=0\no=- 12345 12346 IN IP4 192.0.2.10\ns=USB 000000 : 2\nc=IN IP4 239.69.1.7/32\nt=0 0\na=keywds:x\nm=audio 5004 RTP/AVP 97\n" +
			"i=1 channel: Left\na=recvonly\na=rtpmap:97 L24/48000\na=ptime:1\na=ts-refclk:ptp=IEEE1588-2008:00-1D-C1-FF-FE-00-00-00:0\na=mediaclk:direct=750129611\n",
		Description{
			Name: "USB 000000 : 2", Revision: 12346, Address: netip.MustParseAddr("239.69.1.7"), TTL: 32, Port: 5004,
			Payloads: []Payload{{97, L24}}, RateHz: 48000, SendChannels: 1, PacketFrames: 48,
		},
	},
	"stage box": {
		"v=0\no=- 1 0 IN IP4 192.0.2.10\ns=box_1\nc=IN IP4 239.1.15.52/15\nt=0 0\na=clock-domain:PTPv2 0\nm=audio 5006 RTP/AVP 98\nc=IN IP4 239.1.15.53/15\n" +
			"a=rtpmap:98 L16/96000/8\na=source-filter: incl IN IP4 239.1.15.53 192.0.2.10\na=sync-time:0\na=framecount:12\na=ptime:0.12\na=recvonly\n",
		Description{
			Name: "box_1", Address: netip.MustParseAddr("239.1.15.53"), TTL: 15, Source: netip.MustParseAddr("192.0.2.10"), Port: 5006,
			Payloads: []Payload{{98, L16}}, RateHz: 96000, SendChannels: 8, PacketFrames: 12,
		},
	},
	"camera over IPv6": {
		"v=0\no=cam 7 9 IN IP6 2001:db8::1\ns=-\nc=IN IP6 ff3e::8000:1\nt=0 0\nm=audio 49170 RTP/AVP 11\nb=AS:705\n",
		Description{
			Revision: 9, Address: netip.MustParseAddr("ff3e::8000:1"), Port: 49170,
			Payloads: []Payload{{11, L16}}, RateHz: 44100, SendChannels: 1,
		},
	},
	"radio": {
		"v=0\no=- 1 3 IN IP4 host\ns=NONE\ni=N/A\nc=IN IP4 239.69.1.9/255\nt=0 0\na=tool:x\na=recvonly\na=charset:UTF-8\nm=audio 5004 RTP/AVP 97\nb=AS:96\nb=RR:0\n" +
			"a=rtpmap:97 opus/48000/2\na=fmtp:97 sprop-stereo=0;maxaveragebitrate=64000\n",
		Description{
			Name: "NONE", Revision: 3, Address: netip.MustParseAddr("239.69.1.9"), TTL: 255, Port: 5004,
			Payloads: []Payload{{97, Opus}}, RateHz: 48000, SendChannels: 1, MaxBitrate: 64000,
		},
	},
}

// oddity is something that a text may have and that says nothing else of the stream.
type oddity struct {
	name string
	edit func(lines []string) []string
	lost func(*Description) // what a reader cannot know any more
}

func same(*Description)             {}
func noName(d *Description)         { d.Name = "" }
func noRevision(d *Description)     { d.Revision = 0 }
func noPacketFrames(d *Description) { d.PacketFrames = 0 }
func begins(s string) func(string) bool {
	return func(line string) bool { return strings.HasPrefix(line, s) }
}

// without takes lines away.
func without(lines []string, starts ...string) []string {
	return slices.DeleteFunc(lines, func(line string) bool {
		return slices.ContainsFunc(starts, func(start string) bool { return strings.HasPrefix(line, start) })
	})
}

// at is where the first line of the kind is.
func at(lines []string, start string) int { return slices.IndexFunc(lines, begins(start)) }

// oddities are those of devices' and people's texts.
func oddities() (all []oddity) {
	add := func(name string, lost func(*Description), edit func([]string) []string) {
		all = append(all, oddity{name, edit, lost})
	}
	for _, line := range []string{"", "   ", "x=y", "z=*", "k=clear:", "r=7d 1h 0 25h", "e=a@example.org", "=", "a", "a=", "a=:", "a=ssrc-group:FID 1 2", "no line", "é=ü", "\x00"} {
		add("everywhere "+line, same, func(lines []string) []string {
			with := []string{line}
			for _, l := range lines {
				with = append(with, l, line)
			}
			return with
		})
	}
	add("blanks around", same, func(lines []string) []string {
		for i, l := range lines {
			lines[i] = " \t" + l + " \t "
		}
		return lines
	})
	add("blanks around =", same, func(lines []string) []string {
		for i, l := range lines {
			lines[i] = strings.Replace(l, "=", " = ", 1)
		}
		return lines
	})
	add("letters in upper case", same, func(lines []string) []string {
		for i, l := range lines {
			lines[i] = strings.ToUpper(l[:1]) + l[1:]
		}
		return lines
	})
	for _, missing := range []string{"v=", "t=", "b=", "i=", "a=ts-refclk", "a=recvonly"} {
		add("without "+missing, same, func(lines []string) []string { return without(lines, missing) })
	}
	add("without o=", noRevision, func(lines []string) []string { return without(lines, "o=") })
	add("without s=", noName, func(lines []string) []string { return without(lines, "s=") })
	add("without v=, o=, s=, t=", func(d *Description) { d.Name, d.Revision = "", 0 }, func(lines []string) []string { return without(lines, "v=", "o=", "s=", "t=") })
	add("begins with m=", func(d *Description) { d.Name, d.Revision = "", 0 }, func(lines []string) []string {
		media := at(lines, "m=")
		if at(lines[media:], "c=") >= 0 {
			return lines[media:]
		}
		return append(slices.Clone(lines[media:]), lines[at(lines, "c=")])
	})
	for _, kind := range []string{"v=", "o=", "s=", "t=", "c="} {
		add(kind+" last", same, func(lines []string) []string {
			i := at(lines, kind)
			if kind == "c=" && i < at(lines, "m=") && at(lines[at(lines, "m="):], "c=") >= 0 {
				return lines // the section's own line would no longer be the first
			}
			line := lines[i]
			return append(slices.Delete(lines, i, i+1), line)
		})
		add(kind+" first", same, func(lines []string) []string {
			i := at(lines, kind)
			line := lines[i]
			return slices.Insert(slices.Delete(lines, i, i+1), 0, line)
		})
	}
	add("the other way round", same, func(lines []string) []string {
		if media := at(lines, "m="); at(lines[media:], "c=") >= 0 {
			return lines // which of two c= lines is meant could not be told
		}
		slices.Reverse(lines)
		return lines
	})
	for _, origin := range []string{
		"", "-", "- ", "x y z", "- 1", "0 0 0 0 0 0", "- 0x1f 0x2f IN IP4 192.0.2.10", "- -1 -1 IN IP4 192.0.2.10", "- 1.5 1.5 IN IP4 x",
		"- 1 99999999999999999999x IN IP4 192.0.2.10", "IN IP4 192.0.2.10", "- 2026-11-30 12:00 IN IP4 192.0.2.10",
	} {
		add("o="+origin, noRevision, func(lines []string) []string { lines[at(lines, "o=")] = "o=" + origin; return lines })
	}
	for _, origin := range []string{
		"My Desk 1 4711 IN IP4 192.0.2.10", "-2208991488 4711 IN IP4 192.0.2.10", "4711 IN IP4 192.0.2.10", "- 4711 IN", "- 1 4711 IN IPV4 192.0.2.10", "- 1 4711 in ip4 host.local",
		"- 1 4711 IN IP4", "- 1 4711 IN IP4 192.0.2.10 and more", "\t-  1\t4711   IN IP4 192.0.2.10", "- 99999999999999999999 4711 IN IP4 192.0.2.10", "Ä Ö 1 4711 IN IP6 ::",
	} {
		add("o="+origin, func(d *Description) { d.Revision = 4711 }, func(lines []string) []string { lines[at(lines, "o=")] = "o=" + origin; return lines })
	}
	for _, direction := range []string{"sendonly", "recvonly", "sendrecv", "sendonly ", "SendOnly"} {
		add("session is "+direction, same, func(lines []string) []string {
			return slices.Insert(without(lines, "a=recvonly"), 1, "a="+direction)
		})
		add("media is "+direction, same, func(lines []string) []string { return append(without(lines, "a=recvonly"), "a="+direction) })
		add("session is inactive, media "+direction, same, func(lines []string) []string {
			return append(slices.Insert(without(lines, "a=recvonly"), 1, "a=inactive"), "a="+direction)
		})
	}
	for _, key := range []string{"ptime", "framecount"} {
		for _, value := range []string{"", " ", "0", "-1", "-0.125", "NaN", "Inf", "-Inf", "1e9", "1000", "0.001", "0,125", "1ms", "1 ms", "125us", "abc", "6-48", "1:2", "0x10", "99999999999999999999"} {
			if key == "framecount" && value == "1000" {
				continue // it makes sense
			}
			add(key+":"+value, noPacketFrames, func(lines []string) []string {
				return append(without(lines, "a=ptime", "a=framecount"), "a="+key+":"+value)
			})
		}
		add(key+" without a value", noPacketFrames, func(lines []string) []string {
			return append(without(lines, "a=ptime", "a=framecount"), "a="+key)
		})
	}
	add("senseless framecount beside a ptime", func(d *Description) { d.PacketFrames = d.RateHz / 250 }, func(lines []string) []string {
		return append(without(lines, "a=ptime", "a=framecount"), "a=framecount:-", "a=ptime: 4 ")
	})
	add("senseless ptime beside a framecount", func(d *Description) { d.PacketFrames = 64 }, func(lines []string) []string {
		return append(without(lines, "a=ptime", "a=framecount"), "a=ptime:-", "a=framecount: 64")
	})
	add("ptime of the session", func(d *Description) { d.PacketFrames = d.RateHz / 100 }, func(lines []string) []string {
		return slices.Insert(without(lines, "a=ptime", "a=framecount"), 2, "a=ptime:10")
	})
	for _, value := range []string{"", "0xdeadbeef cname:x", "-5 cname:x", "deadbeef", "4294967296", "x", "0 cname:x"} {
		add("ssrc:"+value, same, func(lines []string) []string { return append(lines, "a=ssrc:"+value) })
	}
	add("a good ssrc behind a bad one", func(d *Description) { d.SSRC, d.CNAME = 5, "y" }, func(lines []string) []string {
		return append(lines, "a=ssrc:- cname:x", "a=ssrc:5 cname:y")
	})
	for _, value := range []string{"fast", "", "1000000", "-1", "64k", "5999", "64000.5"} {
		add("maxaveragebitrate="+value, func(d *Description) { d.MaxBitrate = 0 }, func(lines []string) []string {
			if i := at(lines, "a=fmtp"); i >= 0 {
				lines[i] = "a=fmtp:97 sprop-stereo=0;maxaveragebitrate=" + value
			}
			return lines
		})
	}
	for name, write := range map[string]func(string) string{
		"lower case": strings.ToLower, "upper case": strings.ToUpper,
		"blanks":           func(s string) string { return strings.Replace(strings.ReplaceAll(s, "/", " / "), " ", "   ", 1) },
		"a tab":            func(s string) string { return strings.Replace(s, " ", "\t", 1) },
		"blank after :":    func(s string) string { return ": " + s[1:] },
		"one more part":    func(s string) string { return s + strings.Repeat("/1", 3-strings.Count(s, "/")) + "/x" },
		"no-break space":   func(s string) string { return strings.Replace(s, " ", "\u00a0", 1) },
		"a slash too many": func(s string) string { return s + "/" },
		"a remark":         func(s string) string { return s + " # left, right" },
		"zeros before it":  func(s string) string { return strings.Replace(s, ":", ":0", 1) },
	} {
		add("rtpmap with "+name, same, func(lines []string) []string {
			for i, l := range lines {
				if rest, found := strings.CutPrefix(l, "a=rtpmap"); found {
					lines[i] = "a=rtpmap" + write(rest)
				}
			}
			return lines
		})
	}
	for suffix, ttl := range map[string]int{"": 1, "/7": 7, "/7/3": 7, "/": 1, "/0": 1, "/x": 1, "/ 7": 1, "/999": 1} {
		for _, level := range []string{"session", "media"} {
			add("c= of the "+level+" with "+suffix, func(d *Description) {
				if d.TTL > 0 {
					d.TTL = ttl
				}
			}, func(lines []string) []string {
				i := at(lines, "c=")
				if own := at(lines[at(lines, "m="):], "c="); own >= 0 {
					i = at(lines, "m=") + own
				}
				address, _, _ := strings.Cut(lines[i], "/")
				lines = without(lines, "c=")
				if level == "session" {
					return slices.Insert(lines, 1, address+suffix)
				}
				return append(lines, address+suffix)
			})
		}
	}
	for _, network := range []string{"IN IP4 0.0.0.0", "IN IP6 ::", "", "IN", "IN IP4 desk.local"} {
		add("c="+network+" before the right one", same, func(lines []string) []string { return slices.Insert(lines, at(lines, "m="), "c="+network) })
	}
	for name, section := range unusable() {
		add("behind "+name, same, func(lines []string) []string { return slices.Insert(lines, at(lines, "m="), section...) })
		add("before "+name, same, func(lines []string) []string { return append(lines, section...) })
	}
	for _, transport := range []string{"rtp/avp", "RTP/AVPF", "RTP/AVP/UDP"} {
		add("by "+transport, same, func(lines []string) []string {
			i := at(lines, "m=")
			lines[i] = strings.Replace(lines[i], "RTP/AVP", transport, 1)
			return lines
		})
	}
	add("blanks and a number of ports in m=", same, func(lines []string) []string {
		i := at(lines, "m=")
		fields := strings.Fields(lines[i])
		lines[i] = fields[0] + "\t" + fields[1] + "/2  " + fields[2] + "   " + fields[3] + " 0 xyz"
		return lines
	})
	return all
}

// unusable are sections that nobody can receive here.
func unusable() map[string][]string {
	l24 := "a=rtpmap:97 L24/48000/2"
	return map[string][]string{
		"port 0":                {"m=audio 0 RTP/AVP 97", l24},
		"port 70000":            {"m=audio 70000 RTP/AVP 97", l24},
		"a port in words":       {"m=audio five RTP/AVP 97", l24},
		"384 kHz":               {"m=audio 5008 RTP/AVP 97", "a=rtpmap:97 L24/384000/2"},
		"no rate":               {"m=audio 5008 RTP/AVP 97", "a=rtpmap:97 L24"},
		"128 channels":          {"m=audio 5008 RTP/AVP 97", "a=rtpmap:97 L24/48000/128"},
		"65 channels":           {"m=audio 5008 RTP/AVP 97", "a=rtpmap:97 L24/48000/65"},
		"0 channels":            {"m=audio 5008 RTP/AVP 97", "a=rtpmap:97 L24/48000/0"},
		"a format of others":    {"m=audio 5008 RTP/AVP 97", "a=rtpmap:97 AM824/48000/2"},
		"Opus at 44.1 kHz":      {"m=audio 5008 RTP/AVP 97", "a=rtpmap:97 opus/44100/2"},
		"no map":                {"m=audio 5008 RTP/AVP 101"},
		"no type":               {"m=audio 5008 RTP/AVP"},
		"a type like RTCP":      {"m=audio 5008 RTP/AVP 72", "a=rtpmap:72 L24/48000/2"},
		"a type too large":      {"m=audio 5008 RTP/AVP 200", "a=rtpmap:200 L24/48000/2"},
		"what is inactive":      {"m=audio 5008 RTP/AVP 97", l24, "a=inactive"},
		"video":                 {"m=video 5008 RTP/AVP 97", l24},
		"what is encrypted":     {"m=audio 5008 RTP/SAVP 97", l24},
		"an empty m=":           {"m="},
		"garbage":               {"m=%$&", "c=x", "a=rtpmap", "\x01\x02"},
		"several that are none": {"m=application 9 DTLS/SCTP 5000", "m=audio", "m=audio 0", "m=audio -1 RTP/AVP 10"},
	}
}
