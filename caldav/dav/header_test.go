package dav

import (
	"errors"
	"net/http"
	"reflect"
	"testing"
)

func header(name string, values ...string) http.Header { return http.Header{name: values} }

func TestParseDepth(t *testing.T) {
	for v, want := range map[string]Depth{"": DepthInfinity, "0": Depth0, " 1": Depth1, "Infinity": DepthInfinity} {
		if got, err := ParseDepth(header("Depth", v), DepthInfinity); err != nil || got != want {
			t.Errorf("%q: %v, %v", v, got, err)
		}
	}
	if _, err := ParseDepth(header("Depth", "2"), Depth0); !errors.Is(err, ErrHeader) {
		t.Errorf("2: %v", err)
	}
}

func TestParsePrefer(t *testing.T) {
	for _, c := range []struct {
		h    http.Header
		want Prefer
	}{
		{header("Prefer", `return=minimal, depth-noroot`), Prefer{Minimal: true, NoRoot: true}},
		{header("Prefer", `respond-async`, `Return="representation"; x=y`), Prefer{Representation: true}},
		{header("Prefer", `return=minimal, return=representation`), Prefer{Minimal: true}},
		{header("Brief", "t"), Prefer{Minimal: true}},
		{header("Brief", "f"), Prefer{}},
	} {
		if got := ParsePrefer(c.h); got != c.want {
			t.Errorf("%v: %+v", c.h, got)
		}
	}
}

func TestParseETags(t *testing.T) {
	for v, want := range map[string]ETags{
		`*`:              {Given: true, Any: true},
		`"a", W/"b"`:     {Given: true, Tags: []string{"a", "b"}, Weak: []bool{false, true}},
		`nothing`:        {Given: true},
		`nothing, "a"`:   {Given: true, Tags: []string{"a"}, Weak: []bool{false}},
		`"with , comma"`: {Given: true, Tags: []string{"with , comma"}, Weak: []bool{false}},
		`"open`:          {Given: true},
	} {
		if got := ParseETags([]string{v}); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v", v, got)
		}
	}
	if ParseETags(nil).Given {
		t.Error("no header is given")
	}
}

func TestIf(t *testing.T) {
	match := func(resource string, c IfCondition) bool {
		return c.ETag == "now" && resource == "" || c.ETag == "other" && resource == "/b"
	}
	for v, want := range map[string]bool{
		`(["now"])`:                   true,
		`(["old"])`:                   false,
		`(["old"]) (["now"])`:         true,
		`(<urn:uuid:bogus>)`:          false,
		`(Not <DAV:no-lock>)`:         true,
		`(Not <DAV:no-lock> ["now"])`: true,
		`(<DAV:no-lock> ["now"])`:     false,
		`</b> (["other"])`:            true,
		`</b> (["now"])`:              false,
	} {
		lists, err := ParseIf(header("If", v))
		if err != nil {
			t.Errorf("%s: %v", v, err)
		}
		if EvalIf(lists, match) != want {
			t.Errorf("%s is %v", v, !want)
		}
	}
	for _, v := range []string{`x`, `()`, `(`, `(["a"`, `<a>`, `(foo)`, `(["a"]`} {
		if _, err := ParseIf(header("If", v)); err == nil {
			t.Errorf("%s is accepted", v)
		}
	}
	if lists, err := ParseIf(http.Header{}); err != nil || !EvalIf(lists, match) {
		t.Error("no header refuses the request")
	}
}

func TestPaths(t *testing.T) {
	for escaped, want := range map[string][]string{
		"/a%20b/a%2520b/": {"a b", "a%20b"},
		"/":               nil,
		"/a@b/%C3%BC":     {"a@b", "ü"},
	} {
		got, _, err := SplitPath(escaped)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, %v", escaped, got, err)
		}
	}
	for _, p := range []string{"", "a", "/a//b", "/a/%2F", "/../a", "/a/%2e%2E/b", "/%zz", "/%ff", "/a%00"} {
		if _, _, err := SplitPath(p); !errors.Is(err, ErrPath) {
			t.Errorf("%q is accepted", p)
		}
	}
	for ref, want := range map[string]string{
		"http://h:1/a%20b?x#y": "/a%20b", "/a b": "/a%20b", "HTTPS://h": "/",
	} {
		if got, err := PathOf(ref); err != nil || got != want {
			t.Errorf("%s: %s, %v", ref, got, err)
		}
	}
	if _, err := PathOf("ftp://h/a"); !errors.Is(err, ErrPath) {
		t.Error("another scheme is accepted")
	}
	if got := Segment("a b%&'<@~ü"); got != "a%20b%25%26%27%3C@~%C3%BC" {
		t.Errorf("got %s", got)
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add(`(["a"] <b>) <c> (Not ["d"])`, "0", "http://h/a b", "return=minimal", `"a", W/"b"`)
	f.Fuzz(func(t *testing.T, ifh, depth, dest, prefer, tags string) {
		if lists, err := ParseIf(header("If", ifh)); err == nil {
			EvalIf(lists, func(string, IfCondition) bool { return false })
		}
		_, _ = ParseDepth(header("Depth", depth), Depth0)
		ParsePrefer(header("Prefer", prefer))
		ParseETags([]string{tags})
		path, err := PathOf(dest)
		if err != nil {
			return
		}
		segments, _, err := SplitPath(path)
		if err != nil {
			return
		}
		out := "/"
		for i, s := range segments {
			if i > 0 {
				out += "/"
			}
			out += Segment(s)
		}
		again, _, err := SplitPath(out)
		if err != nil || !reflect.DeepEqual(again, segments) {
			t.Fatalf("%q became %q: %q (%v)", segments, out, again, err)
		}
	})
}
