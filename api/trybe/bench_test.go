package trybe

import (
	"fmt"
	"testing"
)

// BenchmarkList asks for a week of a site with two thousand blocks in a year.
func BenchmarkList(b *testing.B) {
	p := newPlace(b)
	for i := range 2000 {
		day, hour := i%336, i/336
		p.at(fmt.Sprintf("2027-%02d-%02dT%02d:00:00", day/28+1, day%28+1, 8+hour), fmt.Sprintf("2027-%02d-%02dT%02d:45:00", day/28+1, day%28+1, 8+hour))
	}
	path := "/shop/blocked-times?site_id=" + demo + "&date_from=2027-03-01&date_to=2027-03-07"
	for b.Loop() {
		p.do("GET", path, "").want(200)
	}
}

// BenchmarkCreate makes one block after the other.
func BenchmarkCreate(b *testing.B) {
	p := newPlace(b)
	for b.Loop() {
		p.create(nil).want(201)
	}
}

// BenchmarkUpdate moves one block to and fro.
func BenchmarkUpdate(b *testing.B) {
	p := newPlace(b)
	id := p.create(nil).want(201).one().ID
	i := 0
	for b.Loop() {
		i++
		p.put(id, map[string]any{"start_time": fmt.Sprintf("2027-03-01T12:%02d:00", i%30)}).want(200)
	}
}
