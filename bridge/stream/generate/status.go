package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// statusCounts is what the status tells of the counters.
func statusCounts(send, receive []counter) []byte {
	var b bytes.Buffer
	p := func(form string, values ...any) { fmt.Fprintf(&b, form, values...) }
	p("// %s\n\npackage status\n\nimport \"archibald-bridge/bridge/stream\"\n", notice)

	p("\n// Counts are the counts of one direction.\ntype Counts struct {\n")
	for _, c := range shown(send, receive) {
		p("%s uint64 `json:\"%s\"` // %s\n", goName(c.JSON), c.JSON, comment(c.Help))
	}
	p("Rejected uint64 `json:\"rejected\"` // not RTP, or not of the peer, the SSRC or the format agreed\n")
	p("RejectedBy Rejected `json:\"rejected_by\"` // the same by reason\n}\n")

	p("\n// Rejected counts the datagrams that came in and were not used, by reason.\ntype Rejected struct {\n")
	for _, c := range reasons(receive) {
		p("%s uint64 `json:\"%s\"` // %s\n", goName(c.Reason), c.Reason, comment(c.Help))
	}
	p("}\n\n// Reasons are all counts, in a fixed order.\nfunc (r Rejected) Reasons() []Reason {\nreturn []Reason{\n")
	for _, c := range reasons(receive) {
		p("{%q, %q, r.%s},\n", c.Reason, c.Words, goName(c.Reason))
	}
	p("}\n}\n")

	p("\n// SentSince is how much was counted of what is sent. Losses are the peer's to tell.\nfunc SentSince(now, then stream.SendCounters) Counts {\nreturn Counts{\n")
	for _, c := range send {
		if c.JSON != "" {
			p("%s: stream.Grown(now.%s, then.%s),\n", goName(c.JSON), c.Go, c.Go)
		}
	}
	p("}\n}\n\n// ReceivedSince is how much was counted of what is received.\nfunc ReceivedSince(now, then stream.ReceiveCounters) Counts {\ncounts := Counts{\n")
	for _, c := range receive {
		if c.JSON != "" {
			p("%s: stream.Grown(now.%s, then.%s),\n", goName(c.JSON), c.Go, c.Go)
		}
	}
	p("RejectedBy: Rejected{\n")
	for _, reason := range reasons(receive) {
		var now, then []string
		for _, c := range receive {
			if c.Reason == reason.Reason {
				now, then = append(now, "now."+c.Go), append(then, "then."+c.Go)
			}
		}
		p("%s: stream.Grown(%s, %s),\n", goName(reason.Reason), strings.Join(now, "+"), strings.Join(then, "+"))
	}
	p("},\n}\ncounts.Rejected = counts.RejectedBy.Sum()\nreturn counts\n}\n")

	p("\nvar countMetrics = []metric[Direction]{\n")
	for _, c := range shown(send, receive) {
		if c.Metric != "" {
			p("describe(%q, %q, ofDirection, func(d Direction) float64 { return float64(d.Total.%s) }),\n", c.Metric, c.Help, goName(c.JSON))
		}
	}
	p("}\n\nvar countRows = []countRow{\n")
	for _, r := range rows(send, receive) {
		var values []string
		for _, key := range r.Keys {
			values = append(values, "c."+goName(key))
		}
		p("{%q, %v, %q, func(c Counts) []uint64 { return []uint64{%s} }},\n", r.Name, r.Send, r.Locked, strings.Join(values, ", "))
	}
	p("}\n")
	return formatted(&b)
}

// comment is a sentence as the end of a line of code has it.
func comment(sentence string) string {
	sentence = strings.TrimSuffix(sentence, ".")
	if len(sentence) > 1 && strings.ToLower(sentence[1:2]) == sentence[1:2] {
		sentence = strings.ToLower(sentence[:1]) + sentence[1:]
	}
	return sentence
}

// pageRows is the same for the page.
func pageRows(send, receive []counter) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "\"use strict\";\n// %s\n\n// Each row: its name, whether what is sent has it, too, the keys of its counts, and the part\n// of an end in a session that it is for.\nconst countRows = [\n", notice)
	for _, r := range rows(send, receive) {
		name, _ := json.Marshal(r.Name)
		keys, _ := json.Marshal(r.Keys)
		fmt.Fprintf(&b, "  [%s, %v, %s, %q],\n", name, r.Send, keys, r.Locked)
	}
	b.WriteString("];\n\n// Why datagrams were rejected, in words.\nconst rejectedWords = {\n")
	for _, c := range reasons(receive) {
		fmt.Fprintf(&b, "  %s: %q,\n", c.Reason, c.Words)
	}
	b.WriteString("};\n")
	return b.Bytes()
}
