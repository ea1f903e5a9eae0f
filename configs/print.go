package configs

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Setting is the printed form of one option's value.
type Setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"` // "***" for a secret that is set
	Origin string `json:"origin"`
}

// Settings gives every option's value and origin, in the order of Config.
func (l *Loaded) Settings() []Setting {
	fields := reflect.ValueOf(l.Config)
	var out []Setting
	for _, o := range Options() {
		s := Setting{Key: o.Key, Value: o.text(fields.Field(o.index)), Origin: l.Origin(o.Key)}
		if o.Secret && s.Value != "" {
			s.Value = "***"
		}
		out = append(out, s)
	}
	return out
}

// Print writes the settings as a YAML file with the origins as comments.
func (l *Loaded) Print(w io.Writer) error {
	var b strings.Builder
	options := Options()
	for i, s := range l.Settings() {
		fmt.Fprintf(&b, "%-40s # %s\n", s.Key+": "+options[i].quote(s.Value), s.Origin)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// quote writes a value so that the file's reader gives it back, and YAML's
// other readers see a text where one is meant.
func (o Option) quote(s string) string {
	if o.kind != typeText {
		return s
	}
	out, err := yaml.Marshal(s)
	if err != nil {
		return `""`
	}
	return strings.TrimSuffix(string(out), "\n")
}

// Example writes an example file: every option with its default, commented
// out, under what it does.
func Example(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Configuration of Daybook. Every line is optional; what is shown is the default.\n" +
		"# Made by \"daybook config example\" from the options; see REFERENCE.md.\n")
	group := ""
	for _, o := range Options() {
		if o.Group != group {
			group = o.Group
			b.WriteString("\n## " + group + "\n")
		}
		b.WriteString("\n" + wrap("# ", o.Doc, 100))
		if o.Secret {
			b.WriteString(wrap("# ", "Better kept in a file that "+o.Env()+"_FILE names.", 100))
		}
		fmt.Fprintf(&b, "# %s: %s\n", o.Key, o.quote(o.Default))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Reference writes the reference page, in Markdown.
func Reference(w io.Writer) error {
	var b strings.Builder
	b.WriteString(`# Options

<!-- Made by "daybook config reference" from the options of package configs. -->

A value is taken from the flag, else from the environment, else from the file (` + "`--config FILE`, or `" + ConfigEnv + "`" + `), else it is the
default. The name in the environment is ` + "`" + EnvPrefix + "`" + ` and the key in capitals; the flag is the key with dashes. A secret has no flag, and
its variable with ` + "`_FILE`" + ` at the end names a file to read it from. Unknown keys and bad values are errors: ` + "`daybook config check`" + ` tells
all of them, ` + "`daybook config print`" + ` shows each value and where it came from.
`)
	group := ""
	for _, o := range Options() {
		if o.Group != group {
			group = o.Group
			b.WriteString("\n## " + group + "\n\n| key | default | allowed | what it does |\n|---|---|---|---|\n")
		}
		def := "empty"
		if o.Default != "" {
			def = "`" + o.Default + "`"
		}
		doc := o.Doc
		if o.Secret {
			doc += " Secret: `" + o.Env() + "`, `" + o.Env() + "_FILE`."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", o.Key, def, cell(o.allowed()), cell(doc))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// wrap breaks text into lines of about width bytes that begin with prefix.
func wrap(prefix, text string, width int) string {
	var b strings.Builder
	line := strings.TrimSuffix(prefix, " ")
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = strings.TrimSuffix(prefix, " ")
		}
		line += " " + word
	}
	return b.String() + line + "\n"
}
