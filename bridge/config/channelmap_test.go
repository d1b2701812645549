package config

import (
	"strings"
	"testing"
)

func mapped(c *Config, send, receive int, positions ...string) {
	c.SendChannels, c.ReceiveChannels, c.ChannelMap = send, receive, ChannelMap{positions}
}

func TestChannelMapsAreListsOfDifferentPositions(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "",
		" ":                  "",
		"FL,FR":              "FL,FR",
		" fl , fr,LFE ":      "FL,FR,LFE",
		"AUX0,AUX63":         "AUX0,AUX63",
		"mono":               "MONO",
		"AUX1,AUX0":          "AUX1,AUX0",
		"FL,FR,FC,LFE,RL,RR": "FL,FR,FC,LFE,RL,RR",
	} {
		var m ChannelMap
		if err := m.UnmarshalText([]byte(text)); err != nil || m.String() != want {
			t.Errorf("%q: %q, %v", text, m, err)
		}
	}
	for _, text := range []string{"FL,FL", "fl,FL", "FL,FR,AUX0", "MONO,FL", "AUX0,MONO", "FL,", ",", "FL FR", "AUX64", "AUX", "AUX00", "left", "FL;FR", "FL,\x00"} {
		var m ChannelMap
		if err := m.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken as %q", text, m)
		}
	}
}

func FuzzChannelMap(f *testing.F) {
	for _, text := range []string{"", "FL,FR", "AUX0, aux1", ",", "FL,FL"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var m, again ChannelMap
		if m.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := again.UnmarshalText([]byte(m.String())); err != nil || again.String() != m.String() {
			t.Errorf("%q is %q, and that %q, %v", text, m, again, err)
		}
		if strings.Contains(m.String(), " ") {
			t.Errorf("%q", m)
		}
	})
}
