package status

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// script is the program of the page, with what is generated of it.
func script(t *testing.T) (own, generated string) {
	t.Helper()
	for name, text := range map[string]*string{"page/status.js": &own, "page/counts_generated.js": &generated} {
		b, err := page.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		*text = string(b)
	}
	return own, generated
}

// variants are statuses in which all that the text can say is said by one of them.
func variants() map[string]Status {
	made := map[string]Status{"running": sample()}
	vary := func(name string, change func(*Status)) {
		s := sample()
		change(&s)
		made[name] = s
	}
	vary("leads", func(s *Status) {
		s.Session.Locked, s.Session.AnswerPeriods, s.Directions.Receive.Unanswered = Leads, 1, 3
	})
	vary("leads, two periods", func(s *Status) { s.Session.Locked, s.Session.AnswerPeriods = Leads, 2 })
	vary("follows", func(s *Status) { s.Session.Locked = Follows })
	vary("resampled, and changed", func(s *Status) {
		s.Directions.Receive.Rate, s.Directions.Receive.LatencyReason = 96000, "16 frames more"
	})
	vary("rejecting", func(s *Status) {
		s.Directions.Send.SendErrors = 1
		s.Directions.Receive.Rejected, s.Directions.Receive.RejectedBy = 28, Rejected{1, 2, 3, 4, 5, 6, 7}
		s.Session.RejectedCalls = RejectedCalls{1, 2, 3, 4}
	})
	vary("freewheeling", func(s *Status) { s.Audio.State = AudioFreewheel })
	vary("waiting", func(s *Status) {
		s.Audio.State, s.Audio.Reason, s.Session.State, s.Session.LastError = AudioAbsent, "permission denied", SessionWaiting, "no route to host"
		s.Machine = Machine{}
	})
	vary("badly", func(s *Status) {
		s.Audio.Realtime, s.Machine, s.Directions.Send.LatencyErrorMs = false, Machine{}, 0
		s.Problems = []Problem{{"send-errors", SideSend, "network is unreachable"}}
	})
	return made
}

// rowsOf are the names of the rows of a text, in their order.
func rowsOf(text string) (names []string) {
	_, table, _ := strings.Cut(text, "send   ")
	for _, line := range strings.Split(table, "\n")[1:] {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "  "), "  "); ok {
			names = append(names, name)
		}
	}
	return names
}

func TestPageHasTheRowsOfTheText(t *testing.T) {
	own, generated := script(t)
	row := regexp.MustCompile(`(?m)^  (?:\["([^"]+)",|(\.\.\.countRows))`)
	var page []string
	_, list, _ := strings.Cut(own, "const rows = [\n")
	for _, found := range row.FindAllStringSubmatch(list, -1) {
		if found[2] == "" {
			page = append(page, found[1])
			continue
		}
		for _, count := range row.FindAllStringSubmatch(generated, -1) {
			page = append(page, count[1])
		}
	}
	missing := slices.Clone(page)
	for name, s := range variants() {
		at := 0
		for _, row := range rowsOf(text(t, s)) {
			next := slices.Index(page[at:], row)
			if next < 0 {
				t.Errorf("%s: the page does not have the text's row %q, or not in its place, in %q", name, row, page)
				continue
			}
			at += next + 1
			missing = slices.DeleteFunc(missing, func(other string) bool { return other == row })
		}
	}
	if len(missing) > 0 || len(page) < 18 {
		t.Errorf("the page has rows that the text never has: %q, of %q", missing, page)
	}
}

// Values come from the JSON: all other words of the text are the page's, too.
func TestPageHasTheWordsOfTheText(t *testing.T) {
	own, generated := script(t)
	html, err := page.ReadFile("page/index.html")
	if err != nil {
		t.Fatal(err)
	}
	word := regexp.MustCompile(`[A-Za-z]{3,}`)
	said := word.FindAllString(shown(own+generated, string(html)), -1)
	for name, s := range variants() {
		var value any
		if err := json.Unmarshal([]byte(encode(t, s)), &value); err != nil {
			t.Fatal(err)
		}
		known := slices.Concat(said, word.FindAllString(strings.Join(values(value), " "), -1), stageKeys, []string{"PROBLEM", "inf"})
		for _, w := range word.FindAllString(text(t, s), -1) {
			if !slices.Contains(known, w) {
				t.Errorf("%s: the text says %q, and the page does not", name, w)
			}
		}
	}
}

// shown is what of the script and of the page a user may read: texts in quotation marks, also
// those within what is put into another, and what stands between tags.
func shown(script, html string) string {
	drop := func(pattern, from string) string { return regexp.MustCompile(pattern).ReplaceAllString(from, " ") }
	script = drop(`(?m)^\s*//.*$`, script)
	for _, inner := range regexp.MustCompile(`\$\{[^{}]*\}`).FindAllString(script, -1) {
		script += "\n" + strings.Join(regexp.MustCompile(`"[^"\n]*"`).FindAllString(inner, -1), " ")
	}
	script = drop(`\$\{[^{}]*\}`, script)
	html = drop(`(?s)<style.*?</style>|<script.*?</script>|<!--.*?-->|<[^>]*>`, html)
	return strings.Join(regexp.MustCompile("\"[^\"\n]*\"|`[^`]*`").FindAllString(script, -1), " ") + html
}

func TestOnlyTextsOfThePageAreReadFromIt(t *testing.T) {
	got := shown("// a comment\nconst name = \"said\" + `also ${d.key ? \"or\" : d.it} this`;", "<!-- not --><p class=\"no\">between</p><style>x { y: z }</style>")
	if words := strings.Fields(got); strings.Join(words, " ") != "\"said\" `also this` \"or\" between" {
		t.Errorf("%q", words)
	}
}

// stageKeys are what the page names the stages of the latency by.
var stageKeys = []string{"wire", "wait", "resample", "playout"}

// values are all texts in decoded JSON.
func values(value any) (all []string) {
	switch v := value.(type) {
	case map[string]any:
		for _, inner := range v {
			all = append(all, values(inner)...)
		}
	case []any:
		for _, inner := range v {
			all = append(all, values(inner)...)
		}
	case string:
		all = append(all, v)
	}
	return all
}
