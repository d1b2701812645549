package config

import (
	"testing"
	"time"
)

func TestLatencyText(t *testing.T) {
	for text, want := range map[string]Latency{
		"auto":       {Auto: true},
		"96frames":   {Frames: 96},
		"1frames":    {Frames: 1},
		"9600frames": {Frames: 9600},
		"2ms":        {Duration: 2 * time.Millisecond},
		"500us":      {Duration: 500 * time.Microsecond},
		"200ms":      {Duration: 200 * time.Millisecond},
	} {
		var got Latency
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
		var again Latency
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != got {
			t.Errorf("%q prints as %q, which reads as %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "2", "0ms", "-2ms", "201ms", "0frames", "9601frames", "frames", "1.5frames", "96 frames", "Auto", "2ms "} {
		var l Latency
		if err := l.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was accepted as %+v", text, l)
		}
	}
}

func TestPeerText(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "",
		"tower":               "tower:4713",
		"192.168.122.2":       "192.168.122.2:4713",
		"tower:5000":          "tower:5000",
		"[fe80::1]:5000":      "[fe80::1]:5000",
		"fe80::1":             "[fe80::1]:4713",
		"[fe80::1]":           "[fe80::1]:4713",
		"fe80::1%eth0":        "[fe80::1%eth0]:4713",
		"[fe80::1%eth0]":      "[fe80::1%eth0]:4713",
		"[fe80::1%eth0]:5000": "[fe80::1%eth0]:5000",
		"vm.example.org:":     "error",
		"tower:0":             "error",
		"tower:65536":         "error",
		"tower:http":          "error",
		":4713":               "error",
		"a b":                 "error",
		"http://tower":        "error",
		"tower:1:2":           "error",
		"[tower":              "error",
	} {
		var p Peer
		err := p.UnmarshalText([]byte(text))
		if want == "error" {
			if err == nil {
				t.Errorf("%q was accepted as %q", text, p)
			}
			continue
		}
		if err != nil || p.String() != want {
			t.Errorf("%q: %q, %v; want %q", text, p, err, want)
		}
	}
}

func TestListenAddressesNeedAnAddressAndAPort(t *testing.T) {
	for _, text := range []string{"", ":4713", "4713", "0.0.0.0", "0.0.0.0:0", "localhost:4713", "off", "1.2.3.4:99999"} {
		var s Socket
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was accepted as %v", text, s)
		}
	}
	var s StatusSocket
	if err := s.UnmarshalText([]byte("off")); err != nil || !s.Off() || s.String() != "off" {
		t.Errorf("off: %v, %v", s, err)
	}
	if err := s.UnmarshalText([]byte("[::1]:9")); err != nil || s.Off() || s.String() != "[::1]:9" {
		t.Errorf("[::1]:9: %v, %v", s, err)
	}
	if err := s.UnmarshalText([]byte("localhost:9")); err == nil {
		t.Error("localhost:9 was accepted")
	}
}

func TestDurationIsNeverNegative(t *testing.T) {
	for text, good := range map[string]bool{"0": true, "30s": true, "1m30s": true, "-1s": false, "30": false, "": false, "ever": false} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); (err == nil) != good {
			t.Errorf("%q: %v, %v", text, d, err)
		}
	}
}

func TestNearestKey(t *testing.T) {
	names := []string{"channels", "clock", "name"}
	for word, want := range map[string]string{"chanels": "channels", "cahnnels": "channels", "clocks": "clock", "nam": "name", "frobnicate": "", "": ""} {
		if got := nearest(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
