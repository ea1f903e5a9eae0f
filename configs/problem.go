package configs

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong with a configuration.
type Problem struct {
	Key     string `json:"key"`            // as written
	Line    int    `json:"line,omitempty"` // in the file; 0 elsewhere
	Origin  string `json:"origin"`         // FILE:LINE, an environment variable, a flag
	Message string `json:"message"`        // end of a sentence that begins with the key
	Allowed string `json:"allowed,omitempty"`
}

func (p Problem) String() string {
	s := p.Origin + ": " + p.Key + " " + p.Message
	if p.Key == "" {
		s = p.Origin + ": " + p.Message
	}
	switch {
	case strings.HasPrefix(p.Allowed, guess):
		s += "; " + p.Allowed
	case p.Allowed != "":
		s += "; allowed: " + p.Allowed
	}
	return s
}

// Problems is every thing wrong with a configuration, as an error.
type Problems []Problem

func (p Problems) Error() string {
	if len(p) == 1 {
		return "configuration: " + p[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d problems in the configuration:", len(p))
	for _, x := range p {
		b.WriteString("\n  " + x.String())
	}
	return b.String()
}

// add notes a value that the option refuses. Secrets are not repeated.
func (p *Problems) add(o Option, origin, text string, err error) {
	message := fmt.Sprintf("%q %v", shorten(text), err)
	if o.Secret {
		message = "(secret) " + err.Error()
	}
	*p = append(*p, Problem{Key: o.Key, Line: lineOf(origin), Origin: origin, Message: message, Allowed: o.allowed()})
}

// lineOf reads the line of an origin FILE:LINE.
func lineOf(origin string) int {
	i := strings.LastIndexByte(origin, ':')
	if i < 0 {
		return 0
	}
	n := 0
	for _, c := range origin[i+1:] {
		if c < '0' || c > '9' || n > 1<<20 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// guess begins what suggest says of one option.
const guess = "did you mean "

// suggest names the option that was probably meant, or says how to list them.
func suggest(key string, known map[string]Option, name func(Option) string) string {
	best, least := "", len(key)/3+2
	for k, o := range known {
		if d := distance(key, k, least); d < least || d == least && best != "" && name(o) < best {
			best, least = name(o), d
		}
	}
	if best != "" {
		return guess + best + "?"
	}
	return "the options that \"daybook config reference\" lists"
}

// distance is the edit distance of two short words, or most when it is larger
// or a word is not short.
func distance(a, b string, most int) int {
	if len(a) > 64 || len(b) > 64 || max(len(a)-len(b), len(b)-len(a)) > most {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
