package sign

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"daybook/api/hours"
	"daybook/ical"
	"daybook/ical/span"
)

var update = flag.Bool("update", false, "write the golden files anew")

var placeID = uuid.MustParse("0197f3c2-0000-7000-8000-0000000000b1")

func date(t testing.TB, s string) hours.Date {
	t.Helper()
	d, err := hours.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func zone(t testing.TB, name string) *ical.Zone {
	t.Helper()
	z := ical.LookupZone(name)
	if z == nil {
		t.Fatal("no zone", name)
	}
	return z
}

// rules makes the time that is open of lines "Mo-Fr 09:00-17:00", "2027-03-05
// off", "2027-03-06 10:00-12:00": each replaces the openings that begin on its
// days. An end up to 48:00 is on the next day.
func rules(t testing.TB, z *ical.Zone, from, to hours.Date, lines ...string) span.Set {
	t.Helper()
	names := []string{"Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"}
	var all []span.Span
	for d := from - 3; d <= to+3; d++ {
		var day []span.Span
		for _, line := range lines {
			when, what, _ := strings.Cut(line, " ")
			if when != d.String() && !slices.Contains(strings.Split(when, ","), names[d.Weekday()]) {
				continue
			}
			day = nil
			if what == "off" {
				continue
			}
			for part := range strings.SplitSeq(what, ",") {
				a, b, _ := strings.Cut(part, "-")
				at := func(s string) time.Time {
					n, err := strconv.ParseFloat(strings.Replace(s, ":", ".", 1), 64)
					if err != nil {
						t.Fatal(err)
					}
					h := int(n)
					return z.Instant(d.Time().Add(time.Duration(h)*time.Hour + time.Duration(int((n-float64(h))*100+.5))*time.Minute))
				}
				day = append(day, span.Span{Start: at(a), End: at(b)})
			}
		}
		all = append(all, day...)
	}
	return span.Union(all...)
}

// always is known of everything.
func everything(z *ical.Zone, from, to hours.Date) span.Set {
	return span.Set{Window(z, from, to)}
}

// Each file has what a place does above the line, and what its sign says below.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(data), "---\n")
			lines := strings.Split(strings.TrimSpace(input), "\n")
			head := strings.Fields(lines[0]) // zone, first and last day
			z, from, to := zone(t, head[0]), date(t, head[1]), date(t, head[2])
			known := everything(z, from, to)
			if slices.Contains(lines, "unknown") {
				known = nil
			}
			s := New(Place{placeID, "Room 1", z}, from, to, rules(t, z, from, to, lines[1:]...), known)
			schema, err := json.MarshalIndent(s.Schema(), "", " ")
			if err != nil {
				t.Fatal(err)
			}
			ics, err := s.ICS()
			if err != nil {
				t.Fatal(err)
			}
			got := s.OSM() + "\n---\n" + string(schema) + "\n---\n" + strings.ReplaceAll(string(ics), "\r\n", "\n")
			if *update {
				if err := os.WriteFile(file, []byte(input+"---\n"+got), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// open tells of each half hour of the days whether the place is open.
func halves(z *ical.Zone, from, to hours.Date, open span.Set) string {
	var b strings.Builder
	for d := from; d <= to; d++ {
		fmt.Fprintf(&b, "\n%s ", d)
		for h := range 48 {
			at := z.Instant(d.Time().Add(time.Duration(h) * 30 * time.Minute))
			if slices.ContainsFunc(open, func(s span.Span) bool { return !at.Before(s.Start) && at.Before(s.End) }) {
				b.WriteByte('x')
			} else {
				b.WriteByte('.')
			}
		}
	}
	return b.String()
}

// readOSM is a small reader of opening_hours, for what we write.
func readOSM(t *rapid.T, z *ical.Zone, from, to hours.Date, text string) span.Set {
	days := map[hours.Date][]span.Span{}
	parse := func(s string) hours.Date {
		d, err := time.Parse("2006 Jan 02", s)
		if err != nil {
			t.Fatalf("%q in %q: %v", s, text, err)
		}
		return hours.DateOf(d)
	}
	names := []string{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"}
	for rule := range strings.SplitSeq(text, "; ") {
		first, last := from, to
		if len(rule) > 11 && rule[4] == ' ' {
			first = parse(rule[:11])
			last, rule = first, rule[11:]
			if rule[0] == '-' {
				last, rule = parse(rule[1:12]), rule[12:]
			}
			rule = rule[1:]
		}
		var wanted [7]bool
		if i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(rule, n) }); i >= 0 {
			var list string
			list, rule, _ = strings.Cut(rule, " ")
			for part := range strings.SplitSeq(list, ",") {
				a, b, ranged := strings.Cut(part, "-")
				if !ranged {
					b = a
				}
				for d := slices.Index(names, a); d <= slices.Index(names, b); d++ {
					wanted[(d+1)%7] = true
				}
			}
		} else {
			wanted = [7]bool{true, true, true, true, true, true, true}
		}
		if rule == "24/7" {
			rule = "00:00-24:00"
		}
		for d := first; d <= last; d++ {
			if !wanted[d.Weekday()] {
				continue
			}
			days[d] = nil
			if rule == "off" {
				continue
			}
			for part := range strings.SplitSeq(rule, ",") {
				var h, m, h2, m2 int
				if _, err := fmt.Sscanf(part, "%d:%d-%d:%d", &h, &m, &h2, &m2); err != nil || h2 > 24 {
					t.Fatalf("%q in %q: %v", part, text, err)
				}
				days[d] = append(days[d], span.Span{
					Start: z.Instant(d.Time().Add(time.Duration(h*60+m) * time.Minute)),
					End:   z.Instant(d.Time().Add(time.Duration(h2*60+m2) * time.Minute)),
				})
			}
		}
	}
	var all []span.Span
	for _, day := range days {
		all = append(all, day...)
	}
	return span.Union(all...)
}

// readSchema reads what we write for schema.org.
func readSchema(t *rapid.T, z *ical.Zone, from, to hours.Date, s Schema) span.Set {
	parse := func(text string, otherwise hours.Date) hours.Date {
		if text == "" {
			return otherwise
		}
		d, err := hours.ParseDate(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	var all []span.Span
	for d := from - 1; d <= to; d++ { // its night is in from
		var day []span.Span
		ruled := false
		for _, list := range [][]Specification{s.Special, s.Weekly} {
			for _, x := range list {
				if d < parse(x.From, from-1) || d > parse(x.Through, to) || x.Days != nil && !slices.Contains(x.Days, "https://schema.org/"+d.Weekday().String()) {
					continue
				}
				ruled = true
				if x.Opens == "00:00" && x.Closes == "00:00" {
					continue
				}
				at := func(text string) time.Time {
					c, err := hours.ParseClock(text)
					if err != nil {
						t.Fatal(err)
					}
					return d.Time().Add(time.Duration(c) * time.Second)
				}
				a, b := at(x.Opens), at(x.Closes)
				if x.Closes == "23:59" {
					b = b.Add(time.Minute)
				}
				if !b.After(a) {
					b = b.AddDate(0, 0, 1)
				}
				day = append(day, span.Span{Start: z.Instant(a), End: z.Instant(b)})
			}
			if ruled {
				break
			}
		}
		all = append(all, day...)
	}
	return span.Union(all...)
}

func readICS(t *rapid.T, z *ical.Zone, data []byte) (open span.Set, closed span.Set) {
	items, err := ical.Split(data, ical.StreamLimits)
	if err != nil {
		t.Fatal(err)
	}
	var a, b []span.Span
	for _, item := range items {
		if item.Err != nil {
			t.Fatal(item.Err)
		}
		all, err := item.Object.Instances(ical.Expand{Zone: z})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range all {
			if i.Component.Text("SUMMARY") == "Open" {
				a = append(a, i.Span())
			} else {
				b = append(b, i.Span())
			}
		}
	}
	return span.Union(a...), span.Union(b...)
}

// Whatever a place does, all three signs say it.
func TestSignsSayWhatThePlaceDoes(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"}
	rapid.Check(t, func(rt *rapid.T) {
		z := zone(t, rapid.SampledFrom(zones).Draw(rt, "zone"))
		from := date(t, "2027-03-01") + hours.Date(rapid.IntRange(0, 250).Draw(rt, "from"))
		to := from + hours.Date(rapid.IntRange(0, 70).Draw(rt, "days"))
		times := func() string {
			at := func(label string, low int) int { return rapid.IntRange(low, 47).Draw(rt, label) }
			a := at("start", 8) // not in the hours at which clocks change
			b := a + 1 + rapid.SampledFrom([]int{0, 7, 15, 47 - a, 48 - a, 49 - a + 4, 20}).Draw(rt, "length")
			if b == 48 || b > 56 || b > 50 && b < 56 {
				b = 48
			}
			return fmt.Sprintf("%d:%02d-%d:%02d", a/2, a%2*30, b/2, b%2*30)
		}
		var lines []string
		for range rapid.IntRange(0, 4).Draw(rt, "weekly") {
			lines = append(lines, rapid.SampledFrom([]string{"Mo,Tu,We,Th,Fr", "Sa,Su", "Fr", "Su", "Mo,We", "Mo,Tu,We,Th,Fr,Sa,Su"}).Draw(rt, "days")+" "+
				rapid.SampledFrom([]string{times(), times(), "00:00-24:00", "off"}).Draw(rt, "times"))
		}
		for range rapid.IntRange(0, 6).Draw(rt, "special") {
			d := from + hours.Date(rapid.IntRange(-1, int(to-from)+1).Draw(rt, "day"))
			lines = append(lines, d.String()+" "+rapid.SampledFrom([]string{times(), "off", "00:00-24:00"}).Draw(rt, "times"))
		}
		open := rules(t, z, from, to, lines...)
		s := New(Place{placeID, "Room", z}, from, to, open, everything(z, from, to))

		want := halves(z, from, to, open)
		if got := halves(z, from, to, readOSM(rt, z, from, to, s.OSM())); got != want {
			rt.Fatalf("of %q OSM says %q:%s\nwant%s", lines, s.OSM(), got, want)
		}
		if got := halves(z, from, to, readSchema(rt, z, from, to, s.Schema())); got != want {
			rt.Fatalf("of %q schema.org says %+v:%s\nwant%s", lines, s.Schema(), got, want)
		}
		ics, err := s.ICS()
		if err != nil {
			rt.Fatal(err)
		}
		opens, closed := readICS(rt, z, ics)
		if got := halves(z, from, to, opens); got != want {
			rt.Fatalf("of %q the feed says %s\n%s\nwant%s", lines, ics, got, want)
		}
		if both := closed.Intersect(rules(t, z, from, to, lines...)); len(both) > 0 && !nightly(both, z) {
			rt.Fatalf("closed and open: %v\n%s", both, ics)
		}
		if again, err := New(Place{placeID, "Room", z}, from, to, open, everything(z, from, to)).ICS(); err != nil || string(again) != string(ics) {
			rt.Fatal("the same hours give other bytes")
		}
	})
}

// nightly reports whether all of it is in the hours after midnight: the end of
// an opening of the day before.
func nightly(all span.Set, z *ical.Zone) bool {
	return !slices.ContainsFunc(all, func(s span.Span) bool { return z.Wall(s.Start).Hour() > 0 })
}

// Seasons that keep their weeks are found, and days that differ are told.
func TestSeasons(t *testing.T) {
	z := zone(t, "Europe/Berlin")
	from, to := date(t, "2027-03-01"), date(t, "2027-08-31")
	summer := date(t, "2027-06-01")
	var open []span.Span
	open = append(open, rules(t, z, from, summer-1, "Mo,Tu,We,Th,Fr 9:00-17:00", "2027-05-01 off", "2027-04-05 off")...)
	late := rules(t, z, summer, to, "Mo,Tu,We,Th,Fr,Sa 10:00-20:00", "2027-07-07 off", "2027-07-08 off", "2027-07-09 off")
	early := span.Set(open).Clip(span.Span{Start: z.Instant((from - 3).Time()), End: z.Instant(summer.Time())})
	all := append(slices.Clone(early), late.Clip(span.Span{Start: z.Instant(summer.Time()), End: z.Instant((to + 9).Time())})...)
	s := New(Place{placeID, "", z}, from, to, span.Union(all...), everything(z, from, to))
	const want = "2027 Mar 01-2027 May 31 Mo-Fr 09:00-17:00; 2027 Jun 01-2027 Aug 31 Mo-Sa 10:00-20:00; " +
		"2027 Apr 05 off; 2027 Jul 07-2027 Jul 09 off"
	if got := s.OSM(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// BenchmarkThreeYears tells of the most that is asked.
func BenchmarkThreeYears(b *testing.B) {
	z := zone(b, "Europe/Berlin")
	from := date(b, "2027-03-01")
	to := from + 1095
	open := rules(b, z, from, to, "Mo,Tu,We,Th,Fr 9:00-12:00,13:00-17:00", "Sa 20:00-26:00", "2027-12-24 off", "2028-12-24 off")
	known := everything(z, from, to)
	for b.Loop() {
		s := New(Place{placeID, "Room", z}, from, to, open, known)
		if s.OSM() == "" || len(s.Schema().Weekly) == 0 {
			b.Fatal()
		}
		if _, err := s.ICS(); err != nil {
			b.Fatal(err)
		}
	}
}
