package configs

import (
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// EnvPrefix begins the name of every environment variable that is an option.
const EnvPrefix = "DAYBOOK_"

// Option describes one field of Config.
type Option struct {
	Key     string   // in the file
	Default string   // as written in the file
	Doc     string   // sentences
	Allowed []string // words, nil when not limited to some
	Check   string   // name of a further check, "" for none
	Min     string   // as written, "" for none
	Max     string
	Secret  bool
	Group   string // title of its section

	index int
	kind  reflect.Type
}

// Env gives the environment variable of the option.
func (o Option) Env() string { return EnvPrefix + strings.ToUpper(o.Key) }

// Flag gives the option's flag, without dashes in front.
func (o Option) Flag() string { return strings.ReplaceAll(o.Key, "_", "-") }

// Type gives the word for the option's values: text, yes or no, number, size,
// or duration.
func (o Option) Type() string {
	switch o.kind {
	case typeBool:
		return "yes or no"
	case typeInt:
		return "number"
	case typeSize:
		return "size"
	case typeDuration:
		return "duration"
	}
	return "text"
}

// Options gives every option in the order of Config.
func Options() []Option {
	t := reflect.TypeFor[Config]()
	out := make([]Option, 0, t.NumField())
	group := ""
	for i := range t.NumField() {
		f := t.Field(i)
		if g := f.Tag.Get("group"); g != "" {
			group = g
		}
		o := Option{
			Key: f.Tag.Get("key"), Default: f.Tag.Get("default"), Doc: f.Tag.Get("doc"),
			Check: f.Tag.Get("check"), Min: f.Tag.Get("min"), Max: f.Tag.Get("max"),
			Secret: f.Tag.Get("secret") == "true", Group: group, index: i, kind: f.Type,
		}
		if a := f.Tag.Get("allowed"); a != "" {
			o.Allowed = strings.Split(a, ",")
		}
		out = append(out, o)
	}
	return out
}

// Flags adds a flag for every option that is not secret to the set, except
// for those that it has already. What they hold is read by Load.
func Flags(fs *pflag.FlagSet, keys ...string) {
	for _, o := range Options() {
		if o.Secret || fs.Lookup(o.Flag()) != nil || len(keys) > 0 && !slices.Contains(keys, o.Key) {
			continue
		}
		usage, _, _ := strings.Cut(o.Doc, ". ")
		fs.String(o.Flag(), o.Default, strings.TrimSuffix(usage, "."))
		if o.kind == typeBool {
			fs.Lookup(o.Flag()).NoOptDefVal = "true"
		}
	}
}
