package main

import (
	"bytes"
	"errors"
	"fmt"
)

// The table stands between these lines of the document.
const (
	documentFile  = "docs/status.md"
	documentBegin = "<!-- counts: written by go generate ./bridge/stream -->\n"
	documentEnd   = "<!-- end of counts -->\n"
)

// documented is the document with the tables of all counts that the status shows.
func documented(document []byte, send, receive []counter) ([]byte, error) {
	before, rest, begins := bytes.Cut(document, []byte(documentBegin))
	_, after, ends := bytes.Cut(rest, []byte(documentEnd))
	if !begins || !ends {
		return nil, errors.New(documentFile + " has no place for the counts")
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(documentBegin + "| key | metric | |\n|---|---|---|\n")
	for _, c := range shown(send, receive) {
		fmt.Fprintf(&b, "| `%s` | `archibald_%s` | %s |\n", c.JSON, c.Metric, c.Help)
	}
	b.WriteString("| `rejected` | | The sum of `rejected_by`. |\n| `rejected_by` | `archibald_rejected_packets_total{reason}` | Why datagrams that came were not used: |\n")
	for _, c := range reasons(receive) {
		fmt.Fprintf(&b, "| `rejected_by.%s` | | %s |\n", c.Reason, c.Help)
	}
	b.WriteString(documentEnd)
	b.Write(after)
	return b.Bytes(), nil
}
