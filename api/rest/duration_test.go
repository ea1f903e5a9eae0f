package rest

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDurationReadsWhatItWrites(t *testing.T) {
	for d, text := range map[Duration]string{
		0: "PT0S", Duration(30 * time.Minute): "PT30M", Duration(36 * time.Hour): "P1DT12H", Duration(48 * time.Hour): "P2D",
	} {
		if b, err := d.MarshalText(); err != nil || string(b) != text {
			t.Errorf("%s: %v, want %s", b, err, text)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64Range(0, 1<<33).Draw(t, "seconds") * int64(time.Second))
		b, err := json.Marshal(d)
		var back Duration
		if err != nil || json.Unmarshal(b, &back) != nil || back != d {
			t.Fatalf("%v: %s, %v", time.Duration(d), b, back)
		}
	})
	for _, bad := range []string{"", "30", "P", "-PT1H", "PT1.5H", "P1Y", "PT9999999999999H", "P106752D"} {
		var d Duration
		if err := d.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is read as %v", bad, time.Duration(d))
		}
	}
}
