package patchbay

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Rule says which output ports are wanted connected to which input ports.
//
// It has the form
//
//	client:port -> client:port
//
// where a port's name splits at its first colon, as JACK's do, and * stands
// for any text, none included. When both port parts have a *, two ports match
// only if the last * of each stands for the same text: out_* -> in_* connects
// out_1 to in_1 and out_2 to in_2. In any other case every port that matches
// on the left is wanted connected to every one that matches on the right.
//
// When there is more than one *, the earlier ones take as much as they can:
// in *_* the last one stands for what follows the last underscore.
type Rule struct {
	text         string
	source, sink pattern
	pairwise     bool
}

// pattern matches one side. Its last group is the port part's last *.
type pattern struct {
	*regexp.Regexp
	stars int // in the port part
}

// RuleError says what is wrong with a rule.
type RuleError struct{ Rule, Reason string }

// Error is one line that names the rule, what is wrong with it and what is legal.
func (e *RuleError) Error() string {
	return fmt.Sprintf("connection rule %q: %s; legal is 'client:port -> client:port', where * stands for any text, such as 'SuperCollider:out_* -> archibald-to-host:in_*'",
		e.Rule, e.Reason)
}

// ParseRule parses a rule. The error is a *RuleError.
func ParseRule(text string) (Rule, error) {
	fail := func(format string, args ...any) (Rule, error) {
		return Rule{}, &RuleError{text, fmt.Sprintf(format, args...)}
	}
	if !utf8.ValidString(text) {
		return fail("not UTF-8")
	}
	sides := strings.Split(text, "->")
	if len(sides) != 2 {
		return fail("%d arrows -> instead of one", len(sides)-1)
	}
	rule := Rule{text: strings.TrimSpace(sides[0]) + " -> " + strings.TrimSpace(sides[1])}
	for i, into := range []*pattern{&rule.source, &rule.sink} {
		side := strings.TrimSpace(sides[i])
		client, port, ok := strings.Cut(side, ":")
		if !ok {
			return fail("no colon in %q", side)
		}
		if client == "" || port == "" {
			return fail("empty client or port in %q", side)
		}
		into.Regexp = regexp.MustCompile("(?s)^" + expression(client, "[^:]*") + ":" + expression(port, ".*") + "$")
		into.stars = strings.Count(port, "*")
	}
	rule.pairwise = rule.source.stars > 0 && rule.sink.stars > 0
	return rule, nil
}

// expression is glob as a regular expression, with a group for each star.
func expression(glob, star string) string {
	pieces := strings.Split(glob, "*")
	for i, piece := range pieces {
		pieces[i] = regexp.QuoteMeta(piece)
	}
	return strings.Join(pieces, "("+star+")")
}

// String is the rule as ParseRule reads it.
func (r Rule) String() string { return r.text }

// Match tells whether the rule wants source connected to sink. It does not
// know which of them is an output and which an input.
func (r Rule) Match(source, sink string) bool {
	from := r.source.FindStringSubmatch(source)
	to := r.sink.FindStringSubmatch(sink)
	if from == nil || to == nil {
		return false
	}
	return !r.pairwise || from[len(from)-1] == to[len(to)-1]
}
