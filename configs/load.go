package configs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// maxFile bounds a configuration file and a file that holds a secret.
const maxFile = 1 << 20

// Sources says where values are read from. Later ones win: the file, the
// environment, the flags.
type Sources struct {
	File    string         // path of a YAML file, "" for none
	Environ []string       // NAME=value, as of os.Environ
	Flags   *pflag.FlagSet // those that were set count; nil for none
}

// Loaded is a configuration and where each value came from.
type Loaded struct {
	Config
	origin map[string]string
}

// Origin gives where the option's value came from: "default", "FILE:LINE",
// the name of an environment variable, or a flag.
func (l *Loaded) Origin(key string) string {
	if o, ok := l.origin[key]; ok {
		return o
	}
	return "default"
}

// layer is what one source says.
type layer struct {
	values *koanf.Koanf
	origin map[string]string // key → where
}

// Load reads the configuration. The error, if the values are at fault, is of
// type Problems and has all of them; a file that cannot be read is an error
// of its own.
func Load(src Sources) (*Loaded, error) {
	var found Problems
	options := Options()
	known := make(map[string]Option, len(options))
	for _, o := range options {
		known[o.Key] = o
	}
	var layers []layer
	for _, read := range []func(Sources, map[string]Option, *Problems) (layer, error){fromFile, fromEnvironment, fromFlags} {
		l, err := read(src, known, &found)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	out := &Loaded{origin: make(map[string]string)}
	merged := koanf.New(".")
	for _, l := range layers {
		if err := merged.Merge(l.values); err != nil {
			return nil, fmt.Errorf("merge configuration: %w", err)
		}
		maps.Copy(out.origin, l.origin)
	}
	fields := reflect.ValueOf(&out.Config).Elem()
	for _, o := range options {
		text := o.Default
		if merged.Exists(o.Key) {
			text = merged.String(o.Key)
		}
		if err := o.set(fields.Field(o.index), text); err != nil {
			found.add(o, out.Origin(o.Key), text, err)
		}
	}
	if len(found) == 0 {
		out.checkTogether(&found)
	}
	if len(found) > 0 {
		slices.SortStableFunc(found, inOrder)
		return nil, found
	}
	return out, nil
}

// inOrder puts the lines of the file in their order, and what is elsewhere
// behind them.
func inOrder(a, b Problem) int {
	return cmp.Compare(uint(a.Line)-1, uint(b.Line)-1) // 0 becomes the largest
}

// Default gives the configuration of a daemon that was told nothing.
func Default() Config {
	var c Config
	fields := reflect.ValueOf(&c).Elem()
	for _, o := range Options() {
		_ = o.set(fields.Field(o.index), o.Default) // a test sets each default
	}
	return c
}

// checkTogether looks at options that depend on one another.
func (l *Loaded) checkTogether(found *Problems) {
	add := func(key, message, allowed string) {
		*found = append(*found, Problem{Key: key, Origin: l.Origin(key), Message: message, Allowed: allowed})
	}
	if (l.TLSCert == "") != (l.TLSKey == "") {
		key, other := "tls_cert", "tls_key"
		if l.TLSCert == "" {
			key, other = other, key
		}
		add(key, "is set and "+other+" is not", "both or none")
	}
	if l.MetricsListen != "" && l.MetricsListen == l.Listen && !strings.HasSuffix(l.Listen, ":0") {
		add("metrics_listen", "is the same as listen", "another address, or empty")
	}
	if l.Listen == "" {
		add("listen", "is empty", checks["address"].allowed)
	}
	if l.MaxBody < l.MaxObject {
		add("max_body", fmt.Sprintf("%s is smaller than max_object (%s)", l.MaxBody, l.MaxObject), "at least max_object")
	}
}

func fromFile(src Sources, known map[string]Option, found *Problems) (layer, error) {
	l := layer{values: koanf.New("."), origin: map[string]string{}}
	if src.File == "" {
		return l, nil
	}
	data, err := readLimited(src.File)
	if err != nil {
		return l, fmt.Errorf("read the configuration file: %w", err)
	}
	p := &parser{file: src.File, known: known, found: found, origin: l.origin}
	if err := l.values.Load(bytesProvider(data), p); err != nil {
		return l, fmt.Errorf("read the configuration file: %w", err)
	}
	return l, nil
}

// serviceLink matches the variables that Kubernetes sets for a service named
// daybook; they are not ours.
var serviceLink = regexp.MustCompile(`^DAYBOOK_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

func fromEnvironment(src Sources, known map[string]Option, found *Problems) (layer, error) {
	l := layer{values: koanf.New("."), origin: map[string]string{}}
	unknown := func(name string) (string, any) {
		key := strings.ToLower(strings.TrimPrefix(name, EnvPrefix))
		*found = append(*found, Problem{Key: name, Origin: "environment", Message: "is not an option", Allowed: suggest(key, known, Option.Env)})
		return "", nil
	}
	transform := func(name, value string) (string, any) {
		if serviceLink.MatchString(name) || name == ConfigEnv {
			return "", nil
		}
		key := strings.ToLower(strings.TrimPrefix(name, EnvPrefix))
		if o, ok := known[key]; ok && o.Env() == name {
			if where, ok := l.origin[key]; ok {
				*found = append(*found, Problem{Key: key, Origin: name, Message: "is set twice, here and by " + where, Allowed: "one of the two"})
			}
			l.origin[key] = name
			return key, value
		}
		key, isFile := strings.CutSuffix(key, "_file")
		o, ok := known[key]
		if !ok || !isFile || !o.Secret || name != o.Env()+"_FILE" {
			return unknown(name)
		}
		if where, ok := l.origin[key]; ok {
			*found = append(*found, Problem{Key: key, Origin: name, Message: "is set twice, here and by " + where, Allowed: "one of the two"})
		}
		l.origin[key] = name
		secret, err := readLimited(value)
		if err != nil {
			*found = append(*found, Problem{Key: key, Origin: name, Message: "cannot be read: " + err.Error(), Allowed: "the path of a readable file"})
			return "", nil
		}
		return key, strings.TrimRight(string(secret), "\r\n")
	}
	environ := slices.Sorted(slices.Values(src.Environ))
	err := l.values.Load(env.Provider(".", env.Opt{
		Prefix: EnvPrefix, TransformFunc: transform, EnvironFunc: func() []string { return environ },
	}), nil)
	if err != nil {
		return l, fmt.Errorf("read the environment: %w", err)
	}
	return l, nil
}

// ConfigEnv is the variable that names the configuration file.
const ConfigEnv = EnvPrefix + "CONFIG"

func fromFlags(src Sources, known map[string]Option, _ *Problems) (layer, error) {
	l := layer{values: koanf.New("."), origin: map[string]string{}}
	if src.Flags == nil {
		return l, nil
	}
	err := l.values.Load(posflag.ProviderWithFlag(src.Flags, ".", nil, func(f *pflag.Flag) (string, any) {
		key := strings.ReplaceAll(f.Name, "-", "_")
		if o, ok := known[key]; !f.Changed || !ok || o.Flag() != f.Name {
			return "", nil // a flag of the command itself
		}
		l.origin[key] = "--" + f.Name
		return key, f.Value.String()
	}), nil)
	if err != nil {
		return l, fmt.Errorf("read the flags: %w", err)
	}
	return l, nil
}

// bytesProvider hands koanf a file that was read, within its limit, before.
type bytesProvider []byte

func (b bytesProvider) ReadBytes() ([]byte, error) { return b, nil }

func (b bytesProvider) Read() (map[string]any, error) {
	return nil, errors.New("bytes need a parser")
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, errors.New(path + " is larger than " + strconv.Itoa(maxFile) + " bytes")
	}
	return data, nil
}
