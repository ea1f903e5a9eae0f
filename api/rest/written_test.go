package rest

import "testing"

// What was written before stands in an answer byte by byte as it would without.
func TestWrittenIsAsItWouldBeWithout(t *testing.T) {
	type thing struct {
		Text string  `json:"text"`
		None *string `json:"none"`
	}
	v := thing{Text: "<a> & \"b\"\u2028\nc"}
	w, err := Write(v)
	if err != nil {
		t.Fatal(err)
	}
	got, err := encode(struct {
		Data []Written[thing] `json:"data"`
	}{[]Written[thing]{w, w}})
	if err != nil {
		t.Fatal(err)
	}
	want, err := encode(struct {
		Data []thing `json:"data"`
	}{[]thing{v, v}})
	if err != nil || string(got) != string(want) {
		t.Errorf("%s\nwant %s (%v)", got, want, err)
	}
	if got := AppendArray(nil, []Written[thing]{w, w}); `{"data":`+string(got)+"}\n" != string(want) {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got, err := encode(Written[thing]{}); err != nil || string(got) != "null\n" {
		t.Errorf("%s %v", got, err)
	}
}
