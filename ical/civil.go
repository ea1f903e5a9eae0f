package ical

import "time"

// Wall clocks are counted as civil seconds: seconds since 1970-01-01T00:00:00
// of a clock that knows no zone and no leap seconds. A wall clock written as a
// time.Time in UTC has its civil seconds in Unix.
const (
	daySeconds = 86400

	minCivilDay = -719162 // 0001-01-01
	maxCivilDay = 2932896 // 9999-12-31
	minCivil    = minCivilDay * daySeconds
	maxCivil    = (maxCivilDay+1)*daySeconds - 1

	// The Gregorian calendar repeats after 400 years, weekdays included.
	cycleDays   = 146097
	cycleWeeks  = cycleDays / 7
	cycleMonths = 4800
	cycleYears  = 400
)

// civilTime gives civil seconds as a time.Time in UTC.
func civilTime(sec int64) time.Time { return time.Unix(sec, 0).UTC() }

// floorDiv divides and rounds down; b is positive.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// daysOf gives the day number of a date of the proleptic Gregorian calendar;
// 1970-01-01 is 0. Years begin in March here, so that the leap day is last.
func daysOf(y int64, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	mp := int64((m + 9) % 12)
	doy := (153*mp+2)/5 + int64(d) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*cycleDays + doe - 719468
}

// dateOf is the reverse of daysOf.
func dateOf(day int64) (y int64, m, d int) {
	z := day + 719468
	era := floorDiv(z, cycleDays)
	doe := z - era*cycleDays
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = int(doy-(153*mp+2)/5) + 1
	m = int(mp) + 3
	if m > 12 {
		m -= 12
	}
	y = yoe + era*400
	if m <= 2 {
		y++
	}
	return y, m, d
}

// weekdayOf gives the weekday of a day number, Sunday is 0.
func weekdayOf(day int64) int {
	w := int((day + 4) % 7)
	if w < 0 {
		w += 7
	}
	return w
}

func isLeap(y int64) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

// monthDays gives the number of days of a month, m is 1 to 12.
func monthDays(y int64, m int) int {
	if m == 2 {
		if isLeap(y) {
			return 29
		}
		return 28
	}
	return 30 + (m+m>>3)&1
}

func yearDays(y int64) int {
	if isLeap(y) {
		return 366
	}
	return 365
}

// monthOf numbers the month of a day since year 0.
func monthOf(day int64) int64 {
	y, m, _ := dateOf(day)
	return y*12 + int64(m) - 1
}
