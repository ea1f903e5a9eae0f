package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Two encodings, each behind a version byte: CBOR with integer keys for the
// records of the directory, which are few and gain fields; packed bytes for
// the rows that come by the thousand.

var errCodec = errors.New("record cannot be read")

// cborModes makes the modes once; both are safe for concurrent use.
func cborModes() (cbor.EncMode, cbor.DecMode) {
	// Times are text: as a float of seconds they came back some nanoseconds off, so
	// that a record in hand, and its entity tag, was not that of the next read. Older
	// files have floats, which are read as well.
	enc, err := cbor.EncOptions{Time: cbor.TimeRFC3339Nano, Sort: cbor.SortCanonical}.EncMode()
	if err != nil {
		panic(err) // constant options
	}
	dec, err := cbor.DecOptions{MaxNestedLevels: 16}.DecMode()
	if err != nil {
		panic(err)
	}
	return enc, dec
}

var recordEnc, recordDec = cborModes()

const recordV1 = 1

func encodeRecord(v any) []byte {
	b, err := recordEnc.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("encode %T: %w", v, err)) // only our own plain structs come here
	}
	return append([]byte{recordV1}, b...)
}

func decodeRecord(b []byte, v any) error {
	if len(b) == 0 || b[0] != recordV1 {
		return fmt.Errorf("%w: %T of version %x", errCodec, v, b[:min(1, len(b))])
	}
	if err := recordDec.Unmarshal(b[1:], v); err != nil {
		return fmt.Errorf("%w: %T: %w", errCodec, v, err)
	}
	return nil
}

// packer and unpacker write and read packed rows.
type packer []byte

func (p packer) byte(b byte) packer      { return append(p, b) }
func (p packer) uint(n uint64) packer    { return binary.AppendUvarint(p, n) }
func (p packer) int(n int64) packer      { return binary.AppendVarint(p, n) }
func (p packer) text(s string) packer    { return append(p.uint(uint64(len(s))), s...) }
func (p packer) blob(b []byte) packer    { return append(p.uint(uint64(len(b))), b...) }
func (p packer) raw(b []byte) packer     { return append(p, b...) }
func (p packer) time(t time.Time) packer { return p.int(t.UnixMicro()) }

type unpacker struct {
	b   []byte
	bad bool
}

func (u *unpacker) take(n int) []byte {
	if n < 0 || n > len(u.b) {
		u.bad, u.b = true, nil
		return nil
	}
	out := u.b[:n]
	u.b = u.b[n:]
	return out
}

func (u *unpacker) byte() byte {
	if b := u.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (u *unpacker) uint() uint64 {
	n, w := binary.Uvarint(u.b)
	if w <= 0 {
		u.bad, u.b = true, nil
		return 0
	}
	u.b = u.b[w:]
	return n
}

func (u *unpacker) int() int64 {
	n, w := binary.Varint(u.b)
	if w <= 0 {
		u.bad, u.b = true, nil
		return 0
	}
	u.b = u.b[w:]
	return n
}

func (u *unpacker) len() int {
	n := u.uint()
	if n > uint64(len(u.b)) {
		u.bad, u.b = true, nil
		return 0
	}
	return int(n)
}

func (u *unpacker) text() string    { return string(u.take(u.len())) }
func (u *unpacker) blob() []byte    { return u.take(u.len()) }
func (u *unpacker) time() time.Time { return time.UnixMicro(u.int()).UTC() }

func (u *unpacker) err(what string) error {
	if u.bad {
		return fmt.Errorf("%w: %s", errCodec, what)
	}
	return nil
}

// kindCodes number the component kinds in rows; new ones go to the end.
var kindCodes = []string{"", "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"}

func kindCode(kind string) byte {
	for i, k := range kindCodes {
		if k == kind {
			return byte(i)
		}
	}
	return 0
}

func kindName(code byte) string {
	if int(code) < len(kindCodes) {
		return kindCodes[code]
	}
	return ""
}

const packedV1 = 1

// memberDead is set beside the kind of a member that has dead properties, so
// that a listing looks for those of no other.
const memberDead = 1 << 7

// The member row: version, kind, object, ETag, seq, size, modified.
func packMember(m *Member) []byte {
	p := make(packer, 0, 48)
	kind := kindCode(m.Kind)
	if m.Dead {
		kind |= memberDead
	}
	p = p.byte(packedV1).byte(kind).raw(binary.BigEndian.AppendUint64(nil, uint64(m.Object))).raw(m.ETag[:])
	return p.uint(m.Seq).uint(uint64(m.Size)).int(m.Modified.Unix())
}

func unpackMember(name string, b []byte) (Member, error) {
	u := unpacker{b: b}
	if v := u.byte(); v != packedV1 {
		return Member{}, fmt.Errorf("%w: member of version %d", errCodec, v)
	}
	kind := u.byte()
	m := Member{Name: name, Kind: kindName(kind &^ memberDead), Dead: kind&memberDead != 0}
	if id := u.take(8); id != nil {
		m.Object = ObjectID(u64(id))
	}
	copy(m.ETag[:], u.take(16))
	m.Seq, m.Size = u.uint(), uint32(u.uint())
	m.Modified = time.Unix(u.int(), 0).UTC()
	return m, u.err("member")
}

// The change row: version, removed, then the member's row or the time of its
// removal, and the name.
func packChange(c *Change, at time.Time) []byte {
	p := packer{packedV1}
	if c.Removed {
		return p.byte(1).int(at.Unix()).raw([]byte(c.Name))
	}
	return p.byte(0).blob(packMember(&c.Member)).raw([]byte(c.Name))
}

func unpackChange(seq uint64, b []byte) (c Change, removed time.Time, err error) {
	u := unpacker{b: b}
	if v := u.byte(); v != packedV1 {
		return c, removed, fmt.Errorf("%w: change of version %d", errCodec, v)
	}
	if c.Removed = u.byte() == 1; c.Removed {
		removed = time.Unix(u.int(), 0).UTC()
		c.Member = Member{Name: string(u.b), Seq: seq}
		return c, removed, u.err("change")
	}
	row := u.blob()
	if err := u.err("change"); err != nil {
		return c, removed, err
	}
	c.Member, err = unpackMember(string(u.b), row)
	return c, removed, err
}

func packState(s *State) []byte {
	p := packer{packedV1}.uint(s.Seq).uint(s.Floor).uint(s.Members).uint(s.Bytes).time(s.Modified).uint(uint64(s.classes))
	if !s.Removed.IsZero() {
		p = p.time(s.Removed)
	}
	return p
}

func unpackState(b []byte) (State, error) {
	u := unpacker{b: b}
	if v := u.byte(); v != packedV1 {
		return State{}, fmt.Errorf("%w: state of version %d", errCodec, v)
	}
	s := State{Seq: u.uint(), Floor: u.uint(), Members: u.uint(), Bytes: u.uint(), Modified: u.time()}
	s.classes = uint16(u.uint())
	if len(u.b) > 0 {
		s.Removed = u.time()
	}
	return s, u.err("state")
}

// facts are all of an object but its body.
type facts struct {
	Object        // without Data
	size   uint32 // of the data
	rows   []byte // where its rows are, see index.go
	flags  byte   // factDense, factUndated, factEndless
	dead   bool   // it has dead properties
	// external is the hash of the external id, nil without one: where its row
	// of tableExternal is.
	external []byte
}

const (
	factBlock   = 1 << iota
	factDense   // no rows: its instances are computed when asked for
	factUndated // some component has no time
	factEndless // has rows up to the horizon only
	factDead    // it has dead properties
	factRemote  // kept by a remote, whose number follows the rows
)

func packFacts(f *facts) []byte {
	p := make(packer, 0, 128+len(f.rows))
	flags := f.flags &^ (factBlock | factDead | factRemote)
	if f.Block {
		flags |= factBlock
	}
	if f.dead {
		flags |= factDead
	}
	if f.Remote != 0 {
		flags |= factRemote
	}
	p = p.byte(packedV1).byte(flags).byte(kindCode(f.Kind)).raw(f.ETag[:]).uint(uint64(f.Org)).time(f.Created).time(f.Modified)
	p = p.uint(uint64(f.size)).text(f.UID).uint(uint64(len(f.Bindings)))
	for _, b := range f.Bindings {
		p = p.uint(uint64(b.Collection)).text(b.Name)
	}
	p = p.blob(f.rows)
	if f.Remote != 0 {
		p = p.uint(uint64(f.Remote)).byte(byte(f.Counts))
	}
	return p.raw(f.external)
}

func unpackFacts(id ObjectID, b []byte) (*facts, error) {
	u := unpacker{b: b}
	if v := u.byte(); v != packedV1 {
		return nil, fmt.Errorf("%w: object of version %d", errCodec, v)
	}
	flags := u.byte()
	f := &facts{flags: flags &^ (factBlock | factDead | factRemote), dead: flags&factDead != 0}
	f.ID, f.Block, f.Kind = id, flags&factBlock != 0, kindName(u.byte())
	copy(f.ETag[:], u.take(16))
	f.Org, f.Created, f.Modified = PrincipalID(u.uint()), u.time(), u.time()
	f.size, f.UID = uint32(u.uint()), u.text()
	n := u.uint()
	if n > uint64(len(u.b)) {
		return nil, fmt.Errorf("%w: object", errCodec)
	}
	f.Bindings = make([]Binding, n)
	for i := range f.Bindings {
		f.Bindings[i] = Binding{CollectionID(u.uint()), u.text()}
	}
	f.rows = append([]byte(nil), u.blob()...)
	if flags&factRemote != 0 {
		f.Remote, f.Counts = RemoteID(u.uint()), Counts(u.byte())
	}
	if len(u.b) > 0 {
		f.external = append([]byte(nil), u.take(len(uidHash{}))...)
	}
	return f, u.err("object")
}

func packIdentity(i *Identity) []byte {
	return packer{packedV1}.raw(i.UUID[:]).uint(uint64(i.Alias)).raw([]byte(i.UID))
}

func unpackIdentity(org PrincipalID, b []byte) (Identity, error) {
	u := unpacker{b: b}
	if v := u.byte(); v != packedV1 {
		return Identity{}, fmt.Errorf("%w: identity of version %d", errCodec, v)
	}
	i := Identity{Org: org}
	copy(i.UUID[:], u.take(16))
	i.Alias = uint32(u.uint())
	i.UID = string(u.b)
	return i, u.err("identity")
}
