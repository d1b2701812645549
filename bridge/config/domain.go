package config

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Type is the kind of a key's value.
type Type string

// The types, as a file writes them.
const (
	Bool   Type = "bool"   // true or false
	Int    Type = "int"    // a whole number in a range
	Choice Type = "choice" // a text, one of a few
	Text   Type = "text"   // a text of a certain form
	List   Type = "list"   // texts of a certain form
)

// Domain is the set of values that are legal for a key. The check, the sentence in an
// error and the types of other languages (the NixOS module's) all come from it.
type Domain struct {
	Type        Type
	Choices     []string // of Choice
	Least, Most int      // of Int
	Zero        bool     // of Int: 0 is legal, too
	Unit        string   // of Int; "" for a count
	Form        string   // of Text and List, in words
	// Pattern is what a Text, or each element of a List, matches as a whole; "" for
	// every text. It is an extended regular expression of POSIX, which Go and Nix
	// both read. The type of the field may refuse more.
	Pattern string
	matches *regexp.Regexp
}

// YesNo is the domain of a switch.
func YesNo() Domain { return Domain{Type: Bool} }

// OneOf is one of these texts, in any case.
func OneOf[T ~string](choices ...T) Domain {
	d := Domain{Type: Choice}
	for _, choice := range choices {
		d.Choices = append(d.Choices, string(choice))
	}
	return d
}

// Between is the whole numbers from least to most.
func Between(least, most int, unit string) Domain {
	return Domain{Type: Int, Least: least, Most: most, Unit: unit}
}

// ZeroOr is Between, or 0.
func ZeroOr(least, most int, unit string) Domain {
	return Domain{Type: Int, Least: least, Most: most, Unit: unit, Zero: true}
}

// Like is every text that matches the pattern. The form says so in words.
func Like(pattern, form string) Domain {
	return Domain{Type: Text, Pattern: pattern, Form: form, matches: regexp.MustCompile("^(" + pattern + ")$")}
}

// AnyText is every text. The form says what it means.
func AnyText(form string) Domain { return Domain{Type: Text, Form: form} }

// ListOf is lists of texts that match the pattern.
func ListOf(pattern, form string) Domain { return Domain{Type: List, Pattern: pattern, Form: form} }

// String completes the sentence "legal is ...".
func (d Domain) String() string {
	switch d.Type {
	case Bool:
		return "true or false"
	case Int:
		zero := ""
		if d.Zero {
			zero = "0, or "
		}
		return strings.TrimSpace(fmt.Sprintf("%s%d to %d %s", zero, d.Least, d.Most, d.Unit))
	case Choice:
		return either(d.Choices)
	}
	return d.Form
}

// either lists alternatives in words.
func either(texts []string) string {
	last := len(texts) - 1
	if last == 0 {
		return texts[0]
	}
	return strings.Join(texts[:last], ", ") + " or " + cmp.Or(texts[last], "empty")
}

// Has says whether a text stands for a value of the domain.
func (d Domain) Has(written string) bool {
	_, legal := d.find(written)
	return legal
}

// find returns the value of the domain that a text stands for.
func (d Domain) find(written string) (value string, legal bool) {
	switch d.Type {
	case Int:
		number, err := strconv.Atoi(written)
		return strconv.Itoa(number), err == nil && (d.Least <= number && number <= d.Most || d.Zero && number == 0)
	case Choice:
		for _, choice := range d.Choices {
			if strings.EqualFold(choice, written) {
				return choice, true
			}
		}
		return written, false
	case List:
		return written, true // whatever reads the text reports what is wrong with it
	}
	return written, d.matches == nil || d.matches.MatchString(written)
}
