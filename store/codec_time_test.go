package store

import (
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// As floats, times came back some nanoseconds off: a record in hand was not the
// one that is read next. What was written so is still to be read.
func TestRecordGivesItsTimesBackExactly(t *testing.T) {
	at := time.Date(2026, 11, 30, 6, 41, 40, 369974203, time.UTC)
	in := Hold{Created: at, Expires: at.Add(time.Hour)}
	var out Hold
	if err := decodeRecord(encodeRecord(&in), &out); err != nil {
		t.Fatal(err)
	}
	if !out.Created.Equal(in.Created) || !out.Expires.Equal(in.Expires) || !out.Start.IsZero() {
		t.Errorf("kept %v, got back %v", in, out)
	}
	floats, err := cbor.EncOptions{Time: cbor.TimeUnixMicro}.EncMode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := floats.Marshal(&in)
	if err != nil {
		t.Fatal(err)
	}
	if err := decodeRecord(append([]byte{recordV1}, b...), &out); err != nil {
		t.Fatal(err)
	}
	if d := out.Created.Sub(in.Created).Abs(); d > time.Microsecond {
		t.Errorf("an older record is %v off", d)
	}
}
