package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"archibald-bridge/bridge/fault"
	"archibald-bridge/proto"
)

// file is a TOML file that has been read: keys for both ends at the top level,
// and the tables [guest] and [host], which hold any key of that end and win
// over the top level.
type file struct {
	path    string
	entries []entry
}

// entry is one key with its value.
type entry struct {
	table string // "", "guest" or "host"
	key   Key
	line  int
	value any
}

// tables decodes nothing. Decoded strictly, it makes the library report every
// key there is with its line.
type tables struct {
	Guest struct{} `toml:"guest"`
	Host  struct{} `toml:"host"`
}

// maxFileBytes is far more than all keys with their comments.
const maxFileBytes = 1 << 20

func readFile(path string) (file, error) {
	data, err := readStart(path, maxFileBytes+1)
	if err != nil {
		return file{}, fmt.Errorf("--config: %w", err)
	}
	if len(data) > maxFileBytes {
		return file{}, fmt.Errorf("%s: legal is a file of at most %d bytes", path, maxFileBytes)
	}
	return parseFile(path, data)
}

// parseFile reports syntax errors, double keys and unknown keys, whichever end
// they concern. It does not look at values.
func parseFile(path string, data []byte) (file, error) {
	f := file{path: path}
	var values map[string]any
	if err := toml.Unmarshal(data, &values); err != nil {
		return f, tomlError(path, err)
	}
	decoder := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	err := decoder.Decode(&tables{})
	var listed *toml.StrictMissingError
	if err != nil && !errors.As(err, &listed) {
		return f, fmt.Errorf("%s: guest and host are tables: write [guest] or [host] on a line of its own", path)
	}
	if listed == nil {
		return f, nil
	}
	for _, item := range listed.Errors {
		line, _ := item.Position()
		e, err := newEntry(values, item.Key())
		if err != nil {
			return f, fmt.Errorf("%s:%d: %w", path, line, err)
		}
		e.line = line
		f.entries = append(f.entries, e)
	}
	return f, nil
}

// newEntry finds what a dotted key of the file stands for.
func newEntry(values map[string]any, dotted toml.Key) (entry, error) {
	e := entry{}
	name := dotted[0]
	if len(dotted) > 1 {
		e.table, name = dotted[0], strings.Join(dotted[1:], ".")
		if !slices.Contains(Roles, proto.Role(e.table)) {
			return e, fmt.Errorf("unknown table %q: legal are guest and host", e.table)
		}
		values, _ = values[e.table].(map[string]any)
	}
	allowed := Keys(proto.Role(e.table))
	var names []string
	for _, key := range allowed {
		if key.Name == name {
			e.key, e.value = key, values[name]
			return e, nil
		}
		names = append(names, key.Name)
	}
	if key, exists := FindKey(name); exists {
		return e, fmt.Errorf("key %q belongs in the table [%s]", name, key.Only)
	}
	if e.table == "" {
		names = append(names, string(proto.Guest), string(proto.Host))
	}
	err := fmt.Errorf("unknown key %q", strings.Join(dotted, "."))
	if near := nearest(name, names); near != "" {
		err = fmt.Errorf("%w: did you mean %q?", err, near)
	}
	return e, err
}

// apply lays the file's values for c.Role over c and notes in origins where each
// key was set.
func (f file) apply(c *Config, origins map[string]string) error {
	for _, table := range []string{"", string(c.Role)} {
		for _, e := range f.entries {
			if e.table != table {
				continue
			}
			where := fmt.Sprintf("%s:%d: %s", f.path, e.line, e.key.Name)
			if e.key.set(c, e.value) != nil {
				return &fault.WrongValue{Where: where, Value: fmt.Sprint(e.value), Legal: e.key.Domain.String()}
			}
			origins[e.key.Name] = where
		}
	}
	return nil
}

// roles lists the ends a file is meant for: the one whose table it has, or both.
func (f file) roles() []proto.Role {
	var has []proto.Role
	for _, role := range Roles {
		for _, e := range f.entries {
			if e.table == string(role) {
				has = append(has, role)
				break
			}
		}
	}
	if len(has) == 1 {
		return has
	}
	return Roles
}

func tomlError(path string, err error) error {
	var positioned *toml.DecodeError
	if errors.As(err, &positioned) {
		line, _ := positioned.Position()
		path = fmt.Sprintf("%s:%d", path, line)
	}
	return fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "toml: "))
}
