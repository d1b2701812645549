package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"archibald-bridge/proto"
)

// Key is one configuration key: a key of the file, the flag of that name, an option of
// the NixOS module, an entry of the reference. It belongs to the field of Config with
// the tag of its name.
type Key struct {
	Name string
	Domain
	Only        proto.Role // the end that has it; "" for both
	Default     string     // as a user writes it
	HostDefault string     // of the host, where it differs
	DefaultEnv  string     // the environment variable that is the default where it is set
	Placeholder string     // for the value of a Text or List in the help
	Help        string     // one or two sentences
	More        string     // further sentences, for the file and the reference
	Examples    []string   // values, for the file and the reference
}

// Group is keys about one subject.
type Group struct {
	Title string
	Keys  []Key
}

// Roles lists both ends.
var Roles = []proto.Role{proto.Guest, proto.Host}

// Keys lists the keys that an end has; of the role "", those that both have.
func Keys(role proto.Role) []Key {
	var own []Key
	for _, group := range Groups {
		for _, key := range group.Keys {
			if key.Only == "" || key.Only == role {
				own = append(own, key)
			}
		}
	}
	return own
}

// FindKey returns the key of that name.
func FindKey(name string) (Key, bool) {
	for _, group := range Groups {
		for _, key := range group.Keys {
			if key.Name == name {
				return key, true
			}
		}
	}
	return Key{}, false
}

// DefaultOf is the default of an end, as a user writes it.
func (k Key) DefaultOf(role proto.Role) string {
	if role == proto.Host && k.HostDefault != "" {
		return k.HostDefault
	}
	return k.Default
}

// Legal completes the sentence "legal is ..." with the domain and the conditions.
func (k Key) Legal() string {
	return strings.Join(append([]string{k.Domain.String()}, k.Conditions()...), "; ")
}

// Conditions are what other keys require of the value.
func (k Key) Conditions() []string {
	var all []string
	for _, rule := range rules {
		if rule.key == k.Name {
			all = append(all, rule.legal)
		}
	}
	return all
}

// ValueName stands for the value in the help.
func (k Key) ValueName() string {
	switch {
	case k.Type == Choice:
		return strings.TrimSuffix(strings.Join(k.Choices, "|"), "|")
	case k.Type == Int && k.Unit != "":
		return strings.ToUpper(k.Unit)
	case k.Type == Int:
		return "N"
	}
	return k.Placeholder
}

// Text returns the key's value in c as a user would write it.
func (k Key) Text(c Config) string {
	value := k.field(&c).Interface()
	if texts, isList := value.([]string); isList {
		return strings.Join(texts, ", ")
	}
	return fmt.Sprint(value)
}

// Read sets a value of the type of the key's field to what a text says.
func (k Key) Read(written string, value reflect.Value) error {
	written, legal := k.find(written)
	if !legal {
		return errNotLegal
	}
	var err error
	switch target := value.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		return target.UnmarshalText([]byte(written))
	case *int:
		*target, err = strconv.Atoi(written)
	case *bool:
		*target, err = strconv.ParseBool(written)
	default:
		value.SetString(written)
	}
	return err
}

// set sets the key's value in c to one of a TOML file.
func (k Key) set(c *Config, value any) error {
	var legal bool
	switch value := value.(type) {
	case []any:
		if k.Type == List {
			return setTexts(k.field(c), value)
		}
	case bool:
		legal = k.Type == Bool
	case int64:
		legal = k.Type == Int || k.Type == Choice // a choice can be a number
	case string:
		legal = k.Type == Text || k.Type == Choice
	}
	if !legal {
		return errNotLegal
	}
	return k.Read(fmt.Sprint(value), k.field(c))
}

// setTexts sets a list. It does not check the elements.
func setTexts(field reflect.Value, values []any) error {
	var texts []string
	for _, value := range values {
		text, isText := value.(string)
		if !isText {
			return errNotLegal
		}
		texts = append(texts, text)
	}
	field.Set(reflect.ValueOf(texts))
	return nil
}

// fields is where in Config the keys are.
var fields = func() map[string][]int {
	all := map[string][]int{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		if name := field.Tag.Get("name"); name != "" {
			all[name] = field.Index
		}
	}
	return all
}()

// new is a value of the type of the key's field.
func (k Key) new() reflect.Value {
	return reflect.New(reflect.TypeFor[Config]().FieldByIndex(fields[k.Name]).Type).Elem()
}

// field is the key's field in c.
func (k Key) field(c *Config) reflect.Value {
	return reflect.ValueOf(c).Elem().FieldByIndex(fields[k.Name])
}
