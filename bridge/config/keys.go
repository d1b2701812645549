package config

import (
	"fmt"
	"reflect"
)

// Key is one configuration key: a key of the file, and the flag of that name.
type Key struct {
	Name  string
	Help  string
	Legal string // completes "legal is ..."
	Owner End    // "" for a key that both ends have
	index []int  // of the field in Config
}

// keys is every key in the order of the structs.
var keys = func() []Key {
	var all []Key
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		name := f.Tag.Get("toml")
		if f.Anonymous || len(f.Index) != 2 || name == "" {
			continue
		}
		key := Key{Name: name, Help: f.Tag.Get("help"), Legal: f.Tag.Get("legal"), index: f.Index}
		switch reflect.TypeFor[Config]().Field(f.Index[0]).Type {
		case reflect.TypeFor[Guest]():
			key.Owner = EndGuest
		case reflect.TypeFor[Host]():
			key.Owner = EndHost
		}
		all = append(all, key)
	}
	return all
}()

// Keys lists the keys that an end has.
func Keys(end End) []Key {
	var own []Key
	for _, key := range keys {
		if key.Owner == "" || key.Owner == end {
			own = append(own, key)
		}
	}
	return own
}

// Text returns the key's value in c as a user would write it.
func (k Key) Text(c Config) string { return fmt.Sprint(k.field(&c).Interface()) }

func (k Key) field(c *Config) reflect.Value {
	return reflect.ValueOf(c).Elem().FieldByIndex(k.index)
}

func findKey(name string) (Key, bool) {
	for _, key := range keys {
		if key.Name == name {
			return key, true
		}
	}
	return Key{}, false
}

// nearest returns the name that was probably meant by a mistyped one: at most
// two letters in it are wrong, and no more than a third; "" when there is none.
func nearest(name string, candidates []string) string {
	best, bestDistance := "", min(2, len(name)/3)+1
	for _, candidate := range candidates {
		if d := distance(name, candidate); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two ASCII words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
