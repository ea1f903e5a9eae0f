package configs

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zone check must not depend on the machine

	"github.com/robfig/cron/v3"
)

// Size is a number of bytes, written as a number alone or with B, KiB, MiB,
// GiB, KB, MB or GB.
type Size int64

var (
	typeText     = reflect.TypeFor[string]()
	typeBool     = reflect.TypeFor[bool]()
	typeInt      = reflect.TypeFor[int]()
	typeSize     = reflect.TypeFor[Size]()
	typeDuration = reflect.TypeFor[time.Duration]()
)

var sizeUnits = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}

// ParseSize reads a Size.
func ParseSize(s string) (Size, error) {
	text, unit := strings.TrimSpace(s), int64(1)
	for _, u := range sizeUnits {
		if n := len(text) - len(u.name); n > 0 && strings.EqualFold(text[n:], u.name) {
			text, unit = strings.TrimSpace(text[:n]), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, errors.New("is not a size")
	}
	return Size(n * unit), nil
}

// String gives the shortest form with a binary unit that is exact.
func (s Size) String() string {
	for _, u := range sizeUnits[:3] {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// ParseDuration reads what time.ParseDuration does, and days: 400d, 1d12h.
func ParseDuration(s string) (time.Duration, error) {
	rest, days := s, time.Duration(0)
	if d, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(d, 10, 17)
		if err != nil || n > 100_000 {
			return 0, errors.New("is not a duration")
		}
		if days, rest = time.Duration(n)*24*time.Hour, after; rest == "" {
			return days, nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || days > math.MaxInt64-d {
		return 0, errors.New("is not a duration")
	}
	return days + d, nil
}

func formatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// set reads text into the field; the error says what is wrong with it, as the
// end of a sentence that begins with the value.
func (o Option) set(field reflect.Value, text string) error {
	var number int64
	switch o.kind {
	case typeBool:
		b, ok := words[strings.ToLower(text)]
		if !ok {
			return errors.New("is neither yes nor no")
		}
		field.SetBool(b)
		return nil
	case typeInt:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return errors.New("is not a whole number")
		}
		number = n
	case typeSize:
		n, err := ParseSize(text)
		if err != nil {
			return err
		}
		number = int64(n)
	case typeDuration:
		d, err := ParseDuration(text)
		if err != nil {
			return err
		}
		number = int64(d)
	default:
		return o.setText(field, text)
	}
	if o.Min != "" && number < o.number(o.Min) {
		return errors.New("is too small")
	}
	if o.Max != "" && number > o.number(o.Max) {
		return errors.New("is too large")
	}
	field.SetInt(number)
	return nil
}

// words are the ways to write a boolean.
var words = map[string]bool{
	"true": true, "yes": true, "on": true, "1": true, "false": false, "no": false, "off": false, "0": false,
}

// number reads a bound of the option. The bounds are constants of this
// package; a test reads each.
func (o Option) number(text string) int64 {
	switch o.kind {
	case typeSize:
		n, _ := ParseSize(text)
		return int64(n)
	case typeDuration:
		d, _ := ParseDuration(text)
		return int64(d)
	}
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func (o Option) setText(field reflect.Value, text string) error {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("has a control character in it")
	}
	if o.Allowed != nil && !slices.Contains(o.Allowed, text) {
		return errors.New("is not one of the words")
	}
	if c, ok := checks[o.Check]; ok {
		if err := c.check(text); err != nil {
			return err
		}
	}
	field.SetString(text)
	return nil
}

// text gives the value as it would be written in the file.
func (o Option) text(field reflect.Value) string {
	switch v := field.Interface().(type) {
	case time.Duration:
		return formatDuration(v)
	case fmt.Stringer:
		return v.String()
	default:
		return fmt.Sprint(v)
	}
}

// allowed says in words what the option may be.
func (o Option) allowed() string {
	if o.Allowed != nil {
		return strings.Join(o.Allowed, ", ")
	}
	if c, ok := checks[o.Check]; ok {
		return c.allowed
	}
	bounds := ""
	if o.Min != "" {
		bounds = " from " + o.Min + " to " + o.Max
	}
	switch o.kind {
	case typeBool:
		return "true, false"
	case typeInt:
		return "a whole number" + bounds
	case typeSize:
		return "a size such as 64KiB or 10MiB," + bounds
	case typeDuration:
		return "a duration such as 30s, 5m, 12h or 400d," + bounds
	}
	return "text"
}

type check struct {
	allowed string
	check   func(string) error
}

var checks = map[string]check{
	"filled":   {"text that is not empty", checkFilled},
	"address":  {"host:port, such as 127.0.0.1:8080, [::1]:8080 or :8080", checkAddress},
	"url":      {"an address that begins with http:// or https:// and has no query", checkURL},
	"apis":     {"names of APIs: " + strings.Join(apiNames, ", "), checkAPIs},
	"networks": {"addresses and ranges, such as 10.0.0.0/8, ::1", checkNetworks},
	"ports":    {"ports and ranges of them, such as 443, 8000-8999", checkPorts},
	"realm":    {"1 to 100 printable characters without quotes and backslashes", checkRealm},
	"schedule": {"five cron fields, such as \"17 3 * * *\", or @hourly, @daily, @every 10m", checkSchedule},
	"zone":     {"an IANA time zone, such as Europe/Berlin", checkZone},
}

func checkFilled(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("is empty")
	}
	return nil
}

func checkAddress(s string) error {
	if s == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return errors.New("is not host:port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return errors.New("has no port from 0 to 65535")
	}
	return nil
}

func checkURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("is not such an address")
	}
	return nil
}

// apiNames are the REST APIs that can be left out.
var apiNames = []string{"folio", "onlive", "timetap", "trybe", "vastal"}

func checkAPIs(s string) error {
	for _, name := range List(s) {
		if !slices.Contains(apiNames, name) {
			return fmt.Errorf("has %q in it, which is no such API", name)
		}
	}
	return nil
}

// List reads a list whose parts are separated by commas or spaces.
func List(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// Networks reads a list of addresses and CIDR ranges, separated by commas or
// spaces.
func Networks(s string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, part := range List(s) {
		if a, err := netip.ParseAddr(part); err == nil {
			out = append(out, netip.PrefixFrom(a.WithZone(""), a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, fmt.Errorf("has %q in it, which is neither an address nor a range", part)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func checkNetworks(s string) error {
	_, err := Networks(s)
	return err
}

// Ports reads a list of ports and ranges of ports, both ends included,
// separated by commas or spaces. At least one is named.
func Ports(s string) ([][2]uint16, error) {
	var out [][2]uint16
	for _, part := range List(s) {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		from, err1 := strconv.ParseUint(low, 10, 16)
		to, err2 := strconv.ParseUint(high, 10, 16)
		if err1 != nil || err2 != nil || from == 0 || from > to {
			return nil, fmt.Errorf("has %q in it, which is neither a port nor a range", part)
		}
		out = append(out, [2]uint16{uint16(from), uint16(to)})
	}
	if len(out) == 0 {
		return nil, errors.New("names no port")
	}
	return out, nil
}

func checkPorts(s string) error {
	_, err := Ports(s)
	return err
}

func checkRealm(s string) error {
	if s == "" || len(s) > 100 || strings.ContainsAny(s, `"\`) {
		return errors.New("cannot be a realm")
	}
	return nil
}

func checkSchedule(s string) error {
	due, err := cron.ParseStandard(s)
	if err != nil {
		return errors.New("is not a schedule")
	}
	if due.Next(time.Now()).IsZero() {
		return errors.New("is never due")
	}
	// The library takes what is shorter, even below zero, for a second.
	if text, ok := strings.CutPrefix(s, "@every "); ok {
		if every, err := time.ParseDuration(text); err != nil || every < time.Second {
			return errors.New("is due more often than once a second")
		}
	}
	return nil
}

func checkZone(s string) error {
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		return errors.New("is not a known time zone")
	}
	return nil
}
