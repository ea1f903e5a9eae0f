package configs

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "rewrite the generated files")

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "daybook.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	fs.Bool("json", false, "a flag that is not an option")
	Flags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fs
}

func TestEveryOptionIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	var c Config
	fields := reflect.ValueOf(&c).Elem()
	for _, o := range Options() {
		if o.Key == "" || o.Doc == "" || o.Group == "" || seen[o.Key] {
			t.Errorf("option %+v has no key, doc or group, or is there twice", o)
		}
		seen[o.Key] = true
		if !strings.HasSuffix(o.Doc, ".") {
			t.Errorf("%s: the doc is not a sentence", o.Key)
		}
		if o.Check != "" {
			if _, ok := checks[o.Check]; !ok {
				t.Errorf("%s: there is no check %q", o.Key, o.Check)
			}
		}
		if err := o.set(fields.Field(o.index), o.Default); err != nil {
			t.Errorf("%s: the default %v", o.Key, err)
		}
		if o.kind != typeBool && o.text(fields.Field(o.index)) != o.Default {
			t.Errorf("%s: the default %q prints as %q", o.Key, o.Default, o.text(fields.Field(o.index)))
		}
		if (o.Min == "") != (o.Max == "") || o.Min != "" && o.number(o.Min) >= o.number(o.Max) {
			t.Errorf("%s: bounds %q to %q", o.Key, o.Min, o.Max)
		}
	}
}

func TestLaterSourcesWin(t *testing.T) {
	path := write(t, "# comment\nlisten: 127.0.0.1:1111\nlog_level: debug\nhorizon: 100d\nmax_object: 1MiB\n")
	l, err := Load(Sources{
		File:    path,
		Environ: []string{"DAYBOOK_LOG_LEVEL=warn", "DAYBOOK_HORIZON=200d", "HOME=/", "DAYBOOK_CONFIG=x"},
		Flags:   flags(t, "--horizon", "300d", "--json", "--h2c=false"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ key, value, want string }{
		{"listen", l.Listen, "127.0.0.1:1111"},
		{"log_level", l.LogLevel, "warn"},
		{"horizon", l.Horizon.String(), (300 * 24 * time.Hour).String()},
		{"max_object", l.MaxObject.String(), "1MiB"},
		{"listen", l.Origin("listen"), path + ":2"},
		{"log_level", l.Origin("log_level"), "DAYBOOK_LOG_LEVEL"},
		{"horizon", l.Origin("horizon"), "--horizon"},
		{"realm", l.Origin("realm"), "default"},
	} {
		if x.value != x.want {
			t.Errorf("%s: %q, want %q", x.key, x.value, x.want)
		}
	}
	if l.H2C {
		t.Error("--h2c=false was not heard")
	}
}

func TestEveryProblemIsTold(t *testing.T) {
	path := write(t, "listen: nowhere\nlog_levle: debug\nhorizon: soon\nmax_body:\n  deep: 1\nlisten: 127.0.0.1:1\nmax_lines: 3\n")
	_, err := Load(Sources{
		File:    path,
		Environ: []string{"DAYBOOK_LOG_FORMAT=xml", "DAYBOOK_PUBIC_URL=x", "DAYBOOK_DATA_FILE=/x"},
		Flags:   flags(t, "--zone", "Mars/Base"),
	})
	var got Problems
	if !errors.As(err, &got) {
		t.Fatalf("%T %v", err, err)
	}
	for _, want := range []struct {
		key, message, allowed string
		line                  int
	}{
		{"listen", `"nowhere" is not host:port`, "host:port", 1},
		{`"log_levle"`, "is not an option", "did you mean log_level?", 2},
		{"horizon", `"soon" is not a duration`, "from 30d to 36500d", 3},
		{"max_body", "neither a single value nor a list", "a size", 5},
		{"listen", "is set twice", "one line", 6},
		{"max_lines", "is too small", "from 100 to", 7},
		{"log_format", `"xml" is not one of the words`, "text, json", 0},
		{"DAYBOOK_PUBIC_URL", "is not an option", "did you mean DAYBOOK_PUBLIC_URL?", 0},
		{"DAYBOOK_DATA_FILE", "is not an option", "", 0},
		{"zone", "is not a known time zone", "IANA", 0},
	} {
		found := false
		for _, p := range got {
			if p.Key == want.key && p.Line == want.line && strings.Contains(p.Message, want.message) && strings.Contains(p.Allowed, want.allowed) {
				found = true
			}
		}
		if !found {
			t.Errorf("missing %+v in\n%v", want, err)
		}
	}
	if !slices.IsSortedFunc(got[:6], func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) }) || got[6].Line != 0 {
		t.Errorf("not in the order of the lines:\n%v", err)
	}
	if len(got) != 10 {
		t.Errorf("%d problems, want 10:\n%v", len(got), err)
	}
}

func TestSecrets(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Load(Sources{Environ: []string{"DAYBOOK_METRICS_TOKEN_FILE=" + secret}})
	if err != nil {
		t.Fatal(err)
	}
	if l.MetricsToken != "hunter2" || l.Origin("metrics_token") != "DAYBOOK_METRICS_TOKEN_FILE" {
		t.Errorf("token %q from %s", l.MetricsToken, l.Origin("metrics_token"))
	}
	var out bytes.Buffer
	if err := l.Print(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), "metrics_token: '***'") {
		t.Errorf("the secret is not masked:\n%s", out.String())
	}
	_, err = Load(Sources{Environ: []string{"DAYBOOK_METRICS_TOKEN=hunter2\x01"}})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a refused secret is repeated: %v", err)
	}
	_, err = Load(Sources{Environ: []string{"DAYBOOK_METRICS_TOKEN=a", "DAYBOOK_METRICS_TOKEN_FILE=" + secret}})
	if err == nil || !strings.Contains(err.Error(), "set twice") {
		t.Errorf("a secret given twice: %v", err)
	}
	_, err = Load(Sources{Environ: []string{"DAYBOOK_METRICS_TOKEN_FILE=" + secret + "-missing"}})
	if err == nil || !strings.Contains(err.Error(), "DAYBOOK_METRICS_TOKEN_FILE: metrics_token cannot be read") {
		t.Errorf("a missing secret file: %v", err)
	}
	if flags(t).Lookup("metrics-token") != nil {
		t.Error("a secret has a flag, which every process of the machine can read")
	}
}

func TestServiceLinksOfKubernetesAreNotOptions(t *testing.T) {
	_, err := Load(Sources{Environ: []string{
		"DAYBOOK_PORT=tcp://10.0.0.1:80", "DAYBOOK_SERVICE_HOST=10.0.0.1", "DAYBOOK_SERVICE_PORT=80",
		"DAYBOOK_SERVICE_PORT_HTTP=80", "DAYBOOK_PORT_80_TCP=tcp://10.0.0.1:80", "DAYBOOK_PORT_80_TCP_ADDR=10.0.0.1",
	}})
	if err != nil {
		t.Error(err)
	}
}

func TestOptionsThatDependOnOneAnother(t *testing.T) {
	for name, text := range map[string]string{
		"certificate without key": "tls_cert: a.pem\n",
		"metrics on the same":     "listen: 127.0.0.1:9\nmetrics_listen: 127.0.0.1:9\n",
		"body below object":       "max_body: 1MiB\n",
		"no address":              "listen: \"\"\n",
	} {
		if _, err := Load(Sources{File: write(t, text)}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestFilesThatAreNotConfigurations(t *testing.T) {
	for text, want := range map[string]string{
		"listen: [":             "is not YAML",
		"- a\n- b":              "is not a mapping",
		"[a]: b":                "a key that is not a word",
		"data: &a x\nrealm: *a": "neither a single value",
	} {
		_, err := Load(Sources{File: write(t, text)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"", "# nothing\n", "---\n", "null"} {
		if _, err := Load(Sources{File: write(t, text)}); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Load(Sources{File: filepath.Join(t.TempDir(), "missing")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Load(Sources{File: write(t, strings.Repeat("#", maxFile+1))}); err == nil {
		t.Error("a huge file was accepted")
	}
}

func TestListsMayBeWrittenAsLists(t *testing.T) {
	l, err := Load(Sources{File: write(t, "trust_proxy: [10.0.0.0/8, \"::1\"]\n")})
	if err != nil {
		t.Fatal(err)
	}
	nets, err := Networks(l.TrustProxy)
	if err != nil || len(nets) != 2 || nets[1].String() != "::1/128" {
		t.Errorf("%v %v", nets, err)
	}
}

func TestPrintedConfigurationReadsBackTheSame(t *testing.T) {
	l, err := Load(Sources{Flags: flags(t, "--realm", "a: #b", "--horizon", "36h", "--data", "true", "--horizon=720h30m")})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := l.Print(&out); err != nil {
		t.Fatal(err)
	}
	again, err := Load(Sources{File: write(t, out.String())})
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if again.Config != l.Config {
		t.Errorf("read back as\n%+v\nnot\n%+v", again.Config, l.Config)
	}
}

func TestGeneratedFiles(t *testing.T) {
	for name, make := range map[string]func(*bytes.Buffer) error{
		"daybook.example.yaml": func(b *bytes.Buffer) error { return Example(b) },
		"REFERENCE.md":         func(b *bytes.Buffer) error { return Reference(b) },
	} {
		var b bytes.Buffer
		if err := make(&b); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(have, b.Bytes()) {
			t.Errorf("%s is not what the options make (%v); go test ./configs -update", name, err)
		}
	}
}

func TestExampleUncommentedIsTheDefault(t *testing.T) {
	var b bytes.Buffer
	if err := Example(&b); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, o := range Options() {
		known[o.Key] = true
	}
	var lines []string
	for line := range strings.Lines(b.String()) {
		key, _, _ := strings.Cut(strings.TrimPrefix(line, "# "), ":")
		if known[key] {
			lines = append(lines, strings.TrimPrefix(line, "# "))
		}
	}
	l, err := Load(Sources{File: write(t, strings.Join(lines, ""))})
	if err != nil {
		t.Fatal(err)
	}
	if l.Config != Default() || len(lines) != len(known) {
		t.Errorf("%d lines of %d options give\n%+v", len(lines), len(known), l.Config)
	}
}

func TestSizesAndDurations(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "12": 12, "1KiB": 1024, "1 mib": 1 << 20, "2KB": 2000, "7B": 7} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5MiB", "99999999999GiB", "1TiB"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	for text, want := range map[string]time.Duration{"30s": 30 * time.Second, "400d": 9600 * time.Hour, "1d12h": 36 * time.Hour, "0s": 0} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1d-1h", "999999999d", "5", "1h1d"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("listen: 127.0.0.1:8080\nhorizon: 1d\n", "DAYBOOK_LISTEN=:1")
	f.Add("a: [b, {c: d}]\n", "DAYBOOK_METRICS_TOKEN_FILE=")
	f.Add("? [x]\n: y\n", "DAYBOOK_=")
	f.Add("&a data: *a\n", "DAYBOOK_a.b=c")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text, variable string) {
		if strings.Contains(variable, "_FILE=") {
			return // it would read whatever the input names
		}
		path := filepath.Join(dir, "f.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Load(Sources{File: path, Environ: []string{variable}})
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		var out bytes.Buffer
		if err := l.Print(&out); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPorts(t *testing.T) {
	got, err := Ports("443, 8000-8999 22")
	if err != nil || len(got) != 3 || got[0] != [2]uint16{443, 443} || got[1] != [2]uint16{8000, 8999} {
		t.Errorf("%v %v", got, err)
	}
	for _, bad := range []string{"", "0", "70000", "9-8", "a", "1-", "-1", "1-2-3"} {
		if got, err := Ports(bad); err == nil {
			t.Errorf("%q is %v", bad, got)
		}
	}
}

// TestSchedulesThatCannotBeMeant: what is never due ended the start of the
// daemon after the check had called it good, and "@every -5m" ran each second.
func TestSchedulesThatCannotBeMeant(t *testing.T) {
	for text, good := range map[string]bool{
		"17 3 * * *": true, "@hourly": true, "@every 1s": true, "0 0 29 2 *": true, "CRON_TZ=Europe/Berlin 0 3 * * *": true,
		"0 0 30 2 *": false, "0 0 31 4 *": false, "@every 0s": false, "@every -5m": false, "@every 1ns": false, "@every": false, "61 * * * *": false,
	} {
		if err := checkSchedule(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}
