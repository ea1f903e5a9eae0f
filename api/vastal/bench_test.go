package vastal

import (
	"fmt"
	"testing"
)

// week500 are 500 different slots.
func week500(shift int) string {
	var slots []string
	for i := range 500 {
		slots = append(slots, fmt.Sprintf("%d %02d:%02d:%02d 23:00:00", i%7, i/7%20, i/140, shift))
	}
	return weekText(slots...)
}

func BenchmarkList(b *testing.B) {
	for _, n := range []int{7, 500} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newPlace(b)
			if n == 500 {
				p.do("PUT", availability, week500(0)).want(200)
			} else {
				p.put("0 09:00:00 17:00:00", "1 09:00:00 17:00:00", "2 09:00:00 17:00:00", "3 09:00:00 17:00:00",
					"4 09:00:00 17:00:00", "5 09:00:00 17:00:00", "6 09:00:00 17:00:00")
			}
			for b.Loop() {
				p.do("GET", availability, "").want(200)
			}
		})
	}
}

// BenchmarkReplace replaces every slot each time; Same sends what is there.
func BenchmarkReplace(b *testing.B) {
	p := newPlace(b)
	b.Run("500", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			p.do("PUT", availability, week500(i%60)).want(200)
		}
	})
	b.Run("Same", func(b *testing.B) {
		body := week500(0)
		for b.Loop() {
			p.do("PUT", availability, body).want(200)
		}
	})
}
