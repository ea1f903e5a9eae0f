package store

import (
	_ "embed"
	"fmt"

	"github.com/klauspost/compress/s2"
)

// Bodies are kept compressed where that makes them smaller: most of an object of
// a few hundred bytes is the same text as in every other, which a dictionary
// knows. What is read is the bytes as they were sent. A body that does not
// begin with bodyPacked is stored as it is.

// bodyPacked begins a compressed body; no iCalendar text begins so.
const bodyPacked = 1

// maxBodyLength is more than any body has: what a damaged one claims is not
// believed.
const maxBodyLength = 1 << 30

// bodyWords is the dictionary. It is part of the format of the file: bodies that
// were packed with it are read with it, so it is never changed.
//
//go:embed body.dict
var bodyWords []byte

// bodyDict is safe for concurrent use.
var bodyDict = s2.MakeDict(bodyWords, nil)

// packBody gives a body as it is stored.
func packBody(data []byte) []byte {
	if len(data) > maxBodyLength || len(data) == 0 {
		return data
	}
	room := make([]byte, 1+s2.MaxEncodedLen(len(data)))
	room[0] = bodyPacked
	packed := room[:1+len(bodyDict.Encode(room[1:], data))]
	if len(packed) >= len(data) && data[0] != bodyPacked {
		return data
	}
	return packed
}

// appendBody appends to dst the body that is stored as b. A body that is
// damaged is as good as not there; check tells.
func appendBody(dst, b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] != bodyPacked {
		return append(dst, b...), nil
	}
	n, err := s2.DecodedLen(b[1:])
	if err != nil || n > maxBodyLength {
		return dst, fmt.Errorf("body is damaged: %w", ErrNotFound)
	}
	at := len(dst)
	dst = append(dst, make([]byte, n)...)
	out, err := bodyDict.Decode(dst[at:], b[1:])
	if err != nil || len(out) != n {
		return dst[:at], fmt.Errorf("body is damaged: %w", ErrNotFound)
	}
	if n > 0 && &out[0] != &dst[at] {
		copy(dst[at:], out)
	}
	return dst, nil
}

// Data gives the bytes of an object, as they were stored.
func (v *View) Data(id ObjectID) ([]byte, error) { return v.AppendData(nil, id) }

// AppendData appends an object's bytes to dst: Data for those who have a
// buffer.
func (v *View) AppendData(dst []byte, id ObjectID) ([]byte, error) {
	b := v.get(dataKey(id))
	if b == nil {
		return dst, fmt.Errorf("object %d: %w", id, ErrNotFound)
	}
	dst, err := appendBody(dst, b)
	if err != nil {
		return dst, fmt.Errorf("object %d: %w", id, err)
	}
	return dst, nil
}

// putBody stores an object's bytes.
func (tx *Tx) putBody(id ObjectID, data []byte) { tx.put(dataKey(id), packBody(data)) }
