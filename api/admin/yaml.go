package admin

import (
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): (.*)`)

// decodeYAML reads data into the struct that out points to, strictly: unknown
// and repeated keys and values of the wrong form are faults with their line,
// and the rest is read all the same, so that every fault is found at once.
func decodeYAML(data []byte, out any, faults *Faults) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			line, _ := strconv.Atoi(m[1])
			faults.add(line, "not YAML: %s", m[2])
			return
		}
		faults.add(0, "not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	if len(doc.Content) == 0 {
		faults.add(0, "the file is empty")
		return
	}
	decodeNode(doc.Content[0], reflect.ValueOf(out).Elem(), "the file", faults)
}

func decodeNode(n *yaml.Node, v reflect.Value, what string, faults *Faults) {
	if n.Kind == yaml.AliasNode {
		faults.add(n.Line, "%s: aliases are not supported", what)
		return
	}
	if raw, ok := reflect.TypeAssert[*yaml.Node](v.Addr()); ok {
		*raw = *n
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" && v.Kind() != reflect.String {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		x := reflect.New(v.Type().Elem())
		decodeNode(n, x.Elem(), what, faults)
		v.Set(x)
	case reflect.Struct:
		decodeStruct(n, v, what, faults)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			faults.add(n.Line, "%s: a list is expected", what)
			return
		}
		list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
		for i, x := range n.Content {
			decodeNode(x, list.Index(i), what, faults)
		}
		v.Set(list)
	case reflect.String:
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			faults.add(n.Line, "%s: a text is expected", what)
			return
		}
		v.SetString(n.Value)
	case reflect.Bool:
		b, err := strconv.ParseBool(n.Value)
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || err != nil {
			faults.add(n.Line, "%s: true or false is expected", what)
			return
		}
		v.SetBool(b)
	case reflect.Int:
		i, err := strconv.ParseInt(n.Value, 10, 32)
		if n.Kind != yaml.ScalarNode || err != nil {
			faults.add(n.Line, "%s: a whole number is expected", what)
			return
		}
		v.SetInt(i)
	default:
		faults.add(n.Line, "%s: cannot be set", what)
	}
}

func decodeStruct(n *yaml.Node, v reflect.Value, what string, faults *Faults) {
	if n.Kind != yaml.MappingNode {
		faults.add(n.Line, "%s: a mapping of keys to values is expected", what)
		return
	}
	fields := make(map[string][]int)
	var known []string
	for _, f := range reflect.VisibleFields(v.Type()) {
		if f.Anonymous {
			continue // its fields follow
		}
		if f.Name == "Line" {
			v.FieldByIndex(f.Index).SetInt(int64(n.Line))
			continue
		}
		key := f.Tag.Get("yaml")
		fields[key] = f.Index
		known = append(known, key)
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		field, ok := fields[k.Value]
		switch {
		case !ok || k.Kind != yaml.ScalarNode:
			faults.add(k.Line, "unknown key %q; known here: %s", k.Value, strings.Join(known, ", "))
		case seen[k.Value]:
			faults.add(k.Line, "%s is there twice", k.Value)
		default:
			seen[k.Value] = true
			decodeNode(n.Content[i+1], v.FieldByIndex(field), k.Value, faults)
		}
	}
}
