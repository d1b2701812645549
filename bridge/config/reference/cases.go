package main

import (
	"slices"

	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

// keyCases are values of one key, as JSON writes them. Flags, file and NixOS take the
// right ones and refuse the wrong ones alike.
type keyCases struct {
	Key   string `json:"key"`
	Right []any  `json:"right"`
	Wrong []any  `json:"wrong"`
}

// cases are the values for each end.
func cases() map[proto.Role][]keyCases {
	all := map[proto.Role][]keyCases{}
	for _, role := range config.Roles {
		for _, key := range config.Keys(role) {
			all[role] = append(all[role], casesOf(key, role))
		}
	}
	return all
}

// casesOf are the ends of what is legal and what is just outside, or each choice and
// no choice, or the key's examples and texts of no sense.
func casesOf(key config.Key, role proto.Role) keyCases {
	c := keyCases{Key: key.Name, Wrong: []any{}}
	switch key.Type {
	case config.Bool:
		c.Right, c.Wrong = []any{true, false}, []any{"maybe"}
	case config.Int:
		c.Right, c.Wrong = []any{key.Least, key.Most}, []any{key.Most + 1, -1, "two"}
		if key.Zero {
			c.Right = append(c.Right, 0)
		} else if key.Least > 0 {
			c.Wrong = append(c.Wrong, key.Least-1)
		}
	case config.Choice:
		for _, choice := range key.Choices {
			c.Right = append(c.Right, choice)
		}
		c.Wrong = []any{"no such choice"}
		if !slices.Contains(key.Choices, "") {
			c.Wrong = append(c.Wrong, "")
		}
	case config.List:
		c.Right, c.Wrong = []any{[]string{}, key.Examples}, []any{[]string{"no such thing"}}
	case config.Text:
		for _, text := range append(key.Examples, key.DefaultOf(role)) {
			c.Right = append(c.Right, text)
		}
		for _, text := range []string{"", "no /such/ thing!", "65536"} {
			if !key.Has(text) {
				c.Wrong = append(c.Wrong, text)
			}
		}
	}
	return c
}
