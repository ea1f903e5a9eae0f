package configs

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parser reads a flat YAML file for koanf: a mapping of keys to scalars or
// lists of scalars. Values keep the text that was written, so that 1e3 or 010
// mean what the option says and not what YAML makes of them.
type parser struct {
	file   string
	known  map[string]Option
	found  *Problems
	origin map[string]string
}

// yamlLine finds the line in an error of the YAML library, which has no type
// for it.
var yamlLine = regexp.MustCompile(`^yaml: line (\d+): (.*)`)

// Unmarshal reads the file; what is wrong with it goes to the problems.
func (p *parser) Unmarshal(data []byte) (map[string]any, error) {
	out := make(map[string]any)
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		line, message := 0, strings.TrimPrefix(err.Error(), "yaml: ")
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
			message = m[2]
		}
		p.problem("", line, "is not YAML: "+message, "lines of the form \"key: value\"")
		return out, nil
	}
	if len(doc.Content) == 0 {
		return out, nil // empty, or comments alone
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return out, nil
	}
	if root.Kind != yaml.MappingNode {
		p.problem("", root.Line, "is not a mapping", "lines of the form \"key: value\"")
		return out, nil
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		p.pair(out, root.Content[i], root.Content[i+1])
	}
	return out, nil
}

// Marshal is not needed: example and printed files are made from the options.
func (p *parser) Marshal(map[string]any) ([]byte, error) {
	return nil, errors.New("not supported")
}

func (p *parser) pair(out map[string]any, k, v *yaml.Node) {
	key := k.Value
	o, ok := p.known[key]
	switch {
	case k.Kind != yaml.ScalarNode:
		p.problem("", k.Line, "has a key that is not a word", "lines of the form \"key: value\"")
		return
	case !ok:
		p.problem(strconv.Quote(shorten(key)), k.Line, "is not an option", suggest(strings.ToLower(key), p.known, func(o Option) string { return o.Key }))
		return
	}
	if first, twice := p.origin[key]; twice {
		p.problem(key, k.Line, "is set twice, first at "+first, "one line for each key")
		return
	}
	p.origin[key] = fmt.Sprintf("%s:%d", p.file, k.Line)
	text, err := scalarOrList(v)
	if err != nil {
		p.problem(key, v.Line, err.Error(), o.allowed())
		return
	}
	out[key] = text
}

func scalarOrList(v *yaml.Node) (string, error) {
	switch v.Kind {
	case yaml.ScalarNode:
		if v.Tag == "!!null" {
			return "", nil
		}
		return v.Value, nil
	case yaml.SequenceNode:
		parts := make([]string, 0, len(v.Content))
		for _, x := range v.Content {
			if x.Kind != yaml.ScalarNode {
				return "", errors.New("has something in its list that is not a single value")
			}
			parts = append(parts, x.Value)
		}
		return strings.Join(parts, ", "), nil
	case yaml.DocumentNode, yaml.MappingNode, yaml.AliasNode:
	}
	return "", errors.New("is neither a single value nor a list")
}

func (p *parser) problem(key string, line int, message, allowed string) {
	origin := p.file
	if line > 0 {
		origin = fmt.Sprintf("%s:%d", p.file, line)
	}
	*p.found = append(*p.found, Problem{Key: key, Line: line, Origin: origin, Message: message, Allowed: allowed})
}
