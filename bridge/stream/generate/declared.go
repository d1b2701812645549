package main

import (
	"reflect"
	"slices"
	"strings"

	"archibald-bridge/bridge/stream"
)

// counter is one declaration.
type counter struct {
	Go                                                string
	C, JSON, Reason, Metric, Row, Locked, Help, Words string
}

// declared are the counters of both directions, in the order of their declarations.
func declared() (send, receive []counter) {
	return countersOf(reflect.TypeFor[stream.SendCounters]()), countersOf(reflect.TypeFor[stream.ReceiveCounters]())
}

func countersOf(declaration reflect.Type) (found []counter) {
	for i := range declaration.NumField() {
		field := declaration.Field(i)
		if field.Type.Kind() != reflect.Uint64 {
			continue // a momentary value
		}
		tag := field.Tag.Get
		found = append(found, counter{
			Go: field.Name, C: tag("c"), JSON: tag("json"), Reason: tag("reason"), Metric: tag("metric"), Row: tag("row"), Locked: tag("locked"), Help: tag("help"), Words: tag("words"),
		})
	}
	return found
}

// shown are the keys of the status, each once: those of what is received first, where
// what both directions have is described.
func shown(send, receive []counter) (keys []counter) {
	for _, c := range append(slices.Clone(receive), send...) {
		if c.JSON == "" || slices.ContainsFunc(keys, func(k counter) bool { return k.JSON == c.JSON }) {
			continue
		}
		keys = append(keys, c)
	}
	return keys
}

// reasons are the keys of rejected_by.
func reasons(receive []counter) (keys []counter) {
	for _, c := range receive {
		if c.Reason != "" && !slices.ContainsFunc(keys, func(k counter) bool { return k.Reason == c.Reason }) {
			keys = append(keys, c)
		}
	}
	return keys
}

// goName is a JSON key as Go names it: concealed_frames is ConcealedFrames.
func goName(key string) string {
	if slices.Contains([]string{"ssrc", "rtcp"}, key) {
		return strings.ToUpper(key)
	}
	var name strings.Builder
	for word := range strings.SplitSeq(key, "_") {
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String()
}

// row is one line of the text and of the page.
type row struct {
	Name string
	Keys []string
	Send bool // the sending direction has one of them, too
	// Locked is the part of an end in a session that the row is for; "": any.
	Locked string
}

func rows(send, receive []counter) (all []row) {
	for _, c := range shown(send, receive) {
		if c.Row == "" {
			continue
		}
		at := slices.IndexFunc(all, func(r row) bool { return r.Name == c.Row })
		if at < 0 {
			at = len(all)
			all = append(all, row{Name: c.Row, Locked: c.Locked})
		}
		all[at].Keys = append(all[at].Keys, c.JSON)
		if c.JSON == lostKey || slices.ContainsFunc(send, func(s counter) bool { return s.JSON == c.JSON }) {
			all[at].Send = true
		}
	}
	return all
}

// lostKey is shown of what is sent, too, where the peer's reports say it.
const lostKey = "lost"
