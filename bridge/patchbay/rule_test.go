package patchbay

import (
	"strings"
	"testing"
)

func TestRuleMatch(t *testing.T) {
	for _, tt := range []struct {
		rule, source, sink string
		want               bool
	}{
		// Stars in both port parts pair by what the last one stands for.
		{"SuperCollider:out_* -> archibald-to-host:in_*", "SuperCollider:out_1", "archibald-to-host:in_1", true},
		{"SuperCollider:out_* -> archibald-to-host:in_*", "SuperCollider:out_1", "archibald-to-host:in_2", false},
		{"SuperCollider:out_* -> archibald-to-host:in_*", "SuperCollider:out_12", "archibald-to-host:in_2", false},
		{"SuperCollider:out_* -> archibald-to-host:in_*", "SuperCollider:out_", "archibald-to-host:in_", true},
		{"SuperCollider:out_* -> archibald-to-host:in_*", "SuperCollider:in_1", "archibald-to-host:in_1", false},
		{"SuperCollider:out_* -> archibald-to-host:in_*", "SuperCollider2:out_1", "archibald-to-host:in_1", false},
		{"SuperCollider:out_* -> archibald-to-host:in_*", "SuperCollider:out_1", "archibald-to-host-2:in_1", false},
		{"*:* -> *:*", "a:FL", "b:FL", true},
		{"*:* -> *:*", "a:FL", "b:FR", false},
		// The earlier star is greedy.
		{"a:*_* -> b:in_*", "a:left_out_1", "b:in_1", true},
		{"a:*_* -> b:in_*", "a:left_out_1", "b:in_out_1", false},
		{"a:out* -> b:*_*", "a:out2", "b:x_y_2", true},
		// A star in the client part pairs nothing.
		{"Super*:out_* -> archibald*:in_*", "SuperCollider:out_1", "archibald-to-host:in_1", true},
		{"*:out_1 -> b:in_*", "a:out_1", "b:in_7", true},
		// A star on one side, or none: all that match.
		{"a:out_1 -> b:in_*", "a:out_1", "b:in_1", true},
		{"a:out_1 -> b:in_*", "a:out_1", "b:in_2", true},
		{"a:out_* -> b:in_1", "a:out_2", "b:in_1", true},
		{"a:out_1 -> b:in_2", "a:out_1", "b:in_2", true},
		{"a:out_1 -> b:in_2", "a:out_1", "b:in_1", false},
		// Everything but the star is itself.
		{"a.c:out? -> b:in[1]", "a.c:out?", "b:in[1]", true},
		{"a.c:out? -> b:in[1]", "abc:out1", "b:in1", false},
		{"A:out -> b:in", "a:out", "b:in", false},
		// Names with spaces and colons: the client ends at the first colon.
		{"  My Synth:out left  ->  b:in  ", "My Synth:out left", "b:in", true},
		{"a2j:Midi (capture): * -> b:in", "a2j:Midi (capture): 1", "b:in", true},
		{"*:c -> b:in", "a:b:c", "b:in", false},
		{"a:out->b:in", "a:out", "b:in", true},
		{"a:* -> b:in", "a:line\nbreak", "b:in", true},
	} {
		rule, err := ParseRule(tt.rule)
		if err != nil {
			t.Errorf("ParseRule(%q): %v", tt.rule, err)
			continue
		}
		if got := rule.Match(tt.source, tt.sink); got != tt.want {
			t.Errorf("%q on %q and %q: %v", tt.rule, tt.source, tt.sink, got)
		}
	}
}

func TestParseRuleRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"":                        "0 arrows",
		"a:b":                     "0 arrows",
		"a:b -> c:d -> e:f":       "2 arrows",
		"a -> b:c":                `no colon in "a"`,
		"a:b -> c":                `no colon in "c"`,
		"-> b:c":                  `no colon in ""`,
		":b -> c:d":               `empty client or port in ":b"`,
		"a:b -> c:":               `empty client or port in "c:"`,
		"a:\xff -> b:c":           "not UTF-8",
		"a => b":                  "0 arrows",
		"SuperCollider:out_* > b": "0 arrows",
	} {
		_, err := ParseRule(text)
		if err == nil {
			t.Errorf("ParseRule(%q) accepts it", text)
			continue
		}
		message := err.Error()
		if !strings.Contains(message, says) || !strings.Contains(message, "legal is 'client:port -> client:port'") || strings.Contains(message, "\n") {
			t.Errorf("ParseRule(%q): %s", text, message)
		}
	}
}

func TestRuleStringIsTheRule(t *testing.T) {
	rule, err := ParseRule("  a:b->c:d*")
	if err != nil {
		t.Fatal(err)
	}
	if got := rule.String(); got != "a:b -> c:d*" {
		t.Errorf("String() = %q", got)
	}
}

func FuzzParseRule(f *testing.F) {
	for _, text := range []string{
		"SuperCollider:out_* -> archibald-to-host:in_*", "*:*->*:*", "a:b -> c:d", "a:**b*->c*:d",
		"", "->", ":->:", "a:b->c", "(:[ -> \\:]", "a:\xff->b:c", "a:b\n->c:d",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rule, err := ParseRule(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of more than one line: %v", err)
			}
			return
		}
		again, err := ParseRule(rule.String())
		if err != nil || again.String() != rule.String() {
			t.Errorf("%q becomes %q, which becomes %q, %v", text, rule, again, err)
		}
		// A rule matches the ports it spells out, any star replaced alike.
		source, sink, _ := strings.Cut(rule.String(), " -> ")
		for _, star := range []string{"", "1"} {
			source, sink := strings.ReplaceAll(source, "*", star), strings.ReplaceAll(sink, "*", star)
			if !rule.source.MatchString(source) || !rule.sink.MatchString(sink) {
				t.Errorf("%q does not match its own %q and %q", rule, source, sink)
			}
		}
	})
}
