package dav

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"
)

func TestParseResolvesNamespaces(t *testing.T) {
	root, err := Parse([]byte(`<?xml version="1.0" encoding="UTF-8"?>
<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><C:calendar-data content-type="text/calendar"/><x xmlns=""/></prop></propfind>`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !root.Is(D("propfind")) {
		t.Errorf("root is %v", root.Name)
	}
	data := root.Child(D("prop")).Child(C("calendar-data"))
	if data.Plain("content-type") != "text/calendar" {
		t.Errorf("attributes: %v", data.Attrs)
	}
	if root.Child(D("prop")).Child(xml.Name{Local: "x"}) == nil {
		t.Error("an element without namespace is lost")
	}
}

func TestParseRefusesWhatIsNotWellFormed(t *testing.T) {
	for name, body := range map[string]string{
		"undeclared prefix":          `<D:propfind/>`,
		"undeclared attribute":       `<a b:c="d"/>`,
		"end without start":          `<a></b>`,
		"early end":                  `<a><b></b>`,
		"two roots":                  `<a/><b/>`,
		"text outside":               `<a/>x`,
		"document type":              `<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>`,
		"unknown entity":             `<a>&e;</a>`,
		"instruction in root":        `<a><?xml version="1.0"?></a>`,
		"duplicate attribute":        `<a b="1" b="2"/>`,
		"duplicate declaration":      `<a xmlns:b="1" xmlns:b="2"/>`,
		"empty prefixed declaration": `<a xmlns:b=""/>`,
		"other encoding":             `<?xml version="1.0" encoding="utf-16"?><a/>`,
		"control character":          "<a>\x01</a>",
		"too deep":                   strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100),
	} {
		if _, err := Parse([]byte(body), Limits{}); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse([]byte(" \n"), Limits{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
	if _, err := Parse([]byte("<a><b/><b/><b/></a>"), Limits{Elements: 4}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("many: %v", err)
	}
	if _, err := Parse([]byte("<a>12345</a>"), Limits{Bytes: 8}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("large: %v", err)
	}
}

func TestRawStandsAlone(t *testing.T) {
	root, err := Parse([]byte(`<D:set xmlns:D="DAV:" xmlns:x="urn:x" xml:lang="de" xmlns:unused="urn:u"><x:p x:a="1">v &lt; <D:b/>]]&gt;</x:p></D:set>`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	raw := root.Children[0].Raw()
	again, err := Parse(raw, Limits{})
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	if again.Name != (xml.Name{Space: "urn:x", Local: "p"}) || again.Text() != "v < ]]>" || again.Child(D("b")) == nil {
		t.Errorf("came back as %s", raw)
	}
	if lang, _ := again.Attr(xml.Name{Space: nsXML, Local: "lang"}); lang != "de" {
		t.Errorf("xml:lang is lost: %s", raw)
	}
	if strings.Contains(string(raw), "unused") {
		t.Errorf("needless declaration: %s", raw)
	}
}

func TestAppendTextRoundTrips(t *testing.T) {
	for _, s := range []string{"", "plain", "a<b>&\"c\r\nd\t", "ü 🎉 ]]>", "x\x7fy"} {
		b := append(AppendText([]byte("<a>"), s), "</a>"...)
		root, err := Parse(b, Limits{})
		if err != nil || root.Text() != s {
			t.Errorf("%q came back as %q (%v)", s, root.Text(), err)
		}
	}
	if got := string(AppendText(nil, "a\x00b\uffffc\uffed")); got != "a\ufffdb\ufffdc\uffed" {
		t.Errorf("got %q", got)
	}
}

func TestMakeTags(t *testing.T) {
	for name, want := range map[xml.Name]Tags{
		D("prop"):                         {"<D:prop>", "</D:prop>", "<D:prop/>"},
		Apple("x"):                        {"<I:x>", "</I:x>", "<I:x/>"},
		{Local: "x"}:                      {"<x>", "</x>", "<x/>"},
		{Space: "urn:a&b", Local: "name"}: {`<X:name xmlns:X="urn:a&amp;b">`, "</X:name>", `<X:name xmlns:X="urn:a&amp;b"/>`},
	} {
		if got := MakeTags(name); got != want {
			t.Errorf("%v: %+v", name, got)
		}
	}
}

func TestErrorBodyHoldsOnlyThePrecondition(t *testing.T) {
	e := Precondition(C("no-uid-conflict")).With(string(AppendHref(nil, "/a%20b")))
	root, err := Parse(e.Body(), Limits{})
	if err != nil || len(root.Children) != 1 || root.Children[0].Child(D("href")).Text() != "/a%20b" {
		t.Errorf("%s (%v)", e.Body(), err)
	}
	if (&Error{Status: 404}).Body() != nil {
		t.Error("a status alone has a body")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>`,
		`<a xmlns="urn:x" b="c" xml:lang="en">t<b/><!-- c --><![CDATA[x]]></a>`, `<a>&#13;</a>`, `<a/><b/>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		root, err := Parse(body, Limits{Bytes: 1 << 16, Elements: 1000})
		if err != nil {
			return
		}
		var walk func(e *Element)
		walk = func(e *Element) {
			raw := e.Raw()
			if len(raw) > 1024 {
				return // the time is better spent on many small ones
			}
			again, err := Parse(raw, Limits{})
			if err != nil {
				t.Fatalf("%q does not stand alone: %v", raw, err)
			}
			if again.Name != e.Name || again.Text() != e.Text() || len(again.Children) != len(e.Children) {
				t.Fatalf("%q changed its meaning", raw)
			}
			for _, c := range e.Children {
				walk(c)
			}
		}
		walk(root)
	})
}
