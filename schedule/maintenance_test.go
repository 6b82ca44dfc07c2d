package schedule

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const someHost = "4c4c4544-0001-4000-8000-000000000001"

func TestSlot(t *testing.T) {
	const noSpread = time.Duration(0)
	wide := 10 * time.Hour
	loc := zone(t, "Europe/Paris")
	tests := map[string]struct {
		windows, freeze, catchUp string
		used, tried              string
		now, ready               string
		spread                   time.Duration
		from, to                 string // empty: never
		outside                  bool
	}{
		"closed":                      {windows: "tue 22:00-04:00", now: "2026-11-23 12:00", from: "2026-11-24 22:00", to: "2026-11-25 04:00"},
		"open":                        {windows: "tue 22:00-04:00", now: "2026-11-24 23:00", from: "2026-11-24 23:00", to: "2026-11-25 04:00"},
		"half an hour is left":        {windows: "tue 22:00-04:00", now: "2026-11-25 03:30", from: "2026-11-25 03:30", to: "2026-11-25 04:00"},
		"less is left":                {windows: "tue 22:00-04:00", now: "2026-11-25 03:31", from: "2026-12-01 22:00", to: "2026-12-02 04:00"},
		"half of a short window":      {windows: "tue 22:00-22:20", now: "2026-11-24 22:10", from: "2026-11-24 22:10", to: "2026-11-24 22:20"},
		"less than half of it":        {windows: "tue 22:00-22:20", now: "2026-11-24 22:11", from: "2026-12-01 22:00", to: "2026-12-01 22:20"},
		"again in the same window":    {windows: "tue 22:00-04:00", now: "2026-11-24 22:30", tried: "2026-11-24 22:20", used: "2026-11-24 22:05", from: "2026-11-24 23:20", to: "2026-11-25 04:00"},
		"too late for another time":   {windows: "tue 22:00-04:00", now: "2026-11-25 02:50", tried: "2026-11-25 02:45", used: "2026-11-24 22:05", from: "2026-12-01 22:00", to: "2026-12-02 04:00"},
		"the clock was set back":      {windows: "tue 22:00-04:00", now: "2026-11-24 22:30", tried: "2027-11-24 22:20", used: "2027-11-24 22:05", from: "2026-11-24 22:30", to: "2026-11-25 04:00"},
		"not ready before the window": {windows: "tue 22:00-04:00", now: "2026-11-24 22:30", ready: "2026-11-24 22:40", from: "2026-11-24 22:40", to: "2026-11-25 04:00"},
		"not ready within it":         {windows: "tue 22:00-04:00", now: "2026-11-25 03:20", ready: "2026-11-25 03:40", from: "2026-12-01 22:00", to: "2026-12-02 04:00"},
		"spread leaves enough":        {windows: "tue 22:00-23:00", now: "2026-11-23 12:00", spread: wide, from: "2026-11-24 22:24", to: "2026-11-24 23:00"},
		"its turn before the next":    {windows: "12:00-13:00; 13:00-14:00", now: "2026-11-23 12:00", spread: wide, from: "2026-11-23 12:24", to: "2026-11-23 14:00"},
		"no windows":                  {now: "2026-11-23 12:00"},

		"missed, next":               {windows: "tue 22:00-04:00", catchUp: "next", used: "2026-11-11 00:00", now: "2026-11-23 12:00", from: "2026-11-24 22:00", to: "2026-11-25 04:00"},
		"missed, now":                {windows: "tue 22:00-04:00", catchUp: "now", used: "2026-11-11 00:00", now: "2026-11-23 12:00", from: "2026-11-23 12:00", to: "2026-12-01 12:00", outside: true},
		"missed, but the next opens": {windows: "tue 22:00-04:00", catchUp: "now", used: "2026-11-11 00:00", now: "2026-11-24 22:30", from: "2026-11-24 22:30", to: "2026-11-25 04:00"},
		"missed, before deadline":    {windows: "tue 22:00-04:00", catchUp: "deadline 3d", used: "2026-11-18 00:00", now: "2026-11-25 12:00", from: "2026-11-28 04:00", to: "2026-12-06 04:00", outside: true},
		"missed, after deadline":     {windows: "tue 22:00-04:00", catchUp: "deadline 3d", used: "2026-11-18 00:00", now: "2026-11-29 12:00", from: "2026-11-29 12:00", to: "2026-12-07 12:00", outside: true},
		"the window comes first":     {windows: "tue 22:00-04:00", catchUp: "deadline 7d", used: "2026-11-18 00:00", now: "2026-11-25 12:00", from: "2026-12-01 22:00", to: "2026-12-02 04:00"},
		"failed outside":             {windows: "tue 22:00-04:00", catchUp: "now", used: "2026-11-11 00:00", tried: "2026-11-23 11:50", now: "2026-11-23 12:00", from: "2026-11-23 12:50", to: "2026-12-01 12:50", outside: true},
		"missed, frozen":             {windows: "tue 22:00-04:00", freeze: "2026-11-23..2026-11-30", catchUp: "now", used: "2026-11-11 00:00", now: "2026-11-23 12:00", from: "2026-12-01 00:00", to: "2026-12-02 00:00", outside: true},
		"missed, soon frozen":        {windows: "tue 22:00-04:00", freeze: "2026-11-24", catchUp: "now", used: "2026-11-11 00:00", now: "2026-11-23 12:00", from: "2026-11-23 12:00", to: "2026-11-24 00:00", outside: true},
		"too late in the next":       {windows: "tue 22:00-04:00", catchUp: "now", used: "2026-11-11 00:00", now: "2026-11-25 03:40", from: "2026-11-25 04:00", to: "2026-12-03 04:00", outside: true},
		"one after another":          {windows: "sat 20:00-24:00; sun 00:00-06:00", catchUp: "now", used: "2026-11-21 20:30", now: "2026-11-23 12:00", from: "2026-11-28 20:00", to: "2026-11-29 00:00"},
		"one within another":         {windows: "sat 20:00-24:00; sat 21:00-22:00", catchUp: "now", used: "2026-11-21 20:30", now: "2026-11-23 12:00", from: "2026-11-28 20:00", to: "2026-11-29 00:00"},
		"not missed":                 {windows: "tue 22:00-04:00", catchUp: "now", used: "2026-11-18 03:00", now: "2026-11-23 12:00", from: "2026-11-24 22:00", to: "2026-11-25 04:00"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			catchUp, err := ParseCatchUp("next")
			if tt.catchUp != "" {
				catchUp, err = ParseCatchUp(tt.catchUp)
			}
			if err != nil {
				t.Fatal(err)
			}
			spread := noSpread + tt.spread
			m := Maintenance{Calendar: calendar(t, tt.windows, tt.freeze), Zone: loc, Host: someHost, Spread: &spread, CatchUp: catchUp}
			moment := func(s string) (v time.Time) {
				if s != "" {
					v = at(t, s, loc)
				}
				return v
			}
			r := Record{Since: at(t, "2026-10-01 00:00", loc), Used: moment(tt.used), Tried: moment(tt.tried)}
			if tt.used == "" { // nothing was missed before
				r.Since = moment(tt.now)
			}
			got, ok := m.Slot(r, moment(tt.now), moment(tt.ready))
			if ok != (tt.from != "") {
				t.Fatalf("got %v, %v", got, ok)
			}
			const form = "2006-01-02 15:04"
			if from, to := got.From.In(loc).Format(form), got.To.In(loc).Format(form); ok && (from != tt.from || to != tt.to || got.Outside != tt.outside) {
				t.Fatalf("from %s to %s, outside %v; want %s, %s, %v", from, to, got.Outside, tt.from, tt.to, tt.outside)
			}
		})
	}
}

// yearOf is a simulated year of one host, which comes up and goes down as it
// likes.
type yearOf struct {
	*rapid.T
	rng    *rand.Rand // for what happens within the year
	m      Maintenance
	r      Record
	now    time.Time
	always bool // the host is never down, and what it installs succeeds

	begun int       // installations
	quiet time.Time // nothing is to be installed until then
}

func drawYear(t *rapid.T) *yearOf {
	loc := drawZone(t)
	m := Maintenance{Calendar: drawCalendar(t), Zone: loc, Host: rapid.String().Draw(t, "host"), Repeat: Every(time.Duration(rapid.IntRange(0, 12).Draw(t, "repeat")) * time.Hour)}
	m.CatchUp = rapid.SampledFrom([]CatchUp{{}, {outside: true}, {outside: true, after: 3 * Day}}).Draw(t, "catch up")
	if rapid.Bool().Draw(t, "spread is set") {
		d := time.Duration(rapid.IntRange(0, 240).Draw(t, "spread")) * time.Minute
		m.Spread = &d
	}
	start := drawTime(t, loc)
	rng := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed")))
	return &yearOf{T: t, rng: rng, m: m, now: start, r: Record{Since: start, Up: start}, always: rapid.Bool().Draw(t, "always up")}
}

// run is the year: times of being up, and between them of being down.
func (y *yearOf) run() {
	end := y.now.AddDate(1, 0, 0)
	for y.now.Before(end) {
		down := end
		if !y.always {
			down = earliest(end, y.now.Add(time.Duration(1+y.rng.IntN(20*24))*time.Hour))
		}
		y.up(down)
		if !y.always {
			y.now = down.Add(time.Duration(1+y.rng.IntN(20*24)) * time.Hour)
			y.r.Up = y.now
		}
	}
}

// up is the host at work until down: it asks for the next slot, waits, and
// installs, or notes that there is nothing to install.
func (y *yearOf) up(down time.Time) {
	for y.now.Before(down) {
		y.notMissed()
		pending := !y.now.Before(y.quiet)
		wake := y.now.Add(Day)
		if !pending {
			wake = earliest(wake, y.quiet)
		}
		if slot, ok := y.m.Slot(y.r, y.now, y.now); ok && pending {
			if slot.From.Before(y.now) {
				y.Fatalf("at %v: a slot from %v", y.now, slot.From)
			}
			if slot.From.Equal(y.now) {
				y.install(slot)
				continue
			}
			wake = earliest(wake, slot.From)
		}
		if due, ok := y.m.Attend(y.r, y.now); ok && !pending {
			if !due.After(y.now) {
				y.r.Used = y.now
				continue
			}
			wake = earliest(wake, due)
		}
		if next, ok := y.m.Calendar.Next(y.now, y.m.Zone); ok {
			wake = earliest(wake, next.From)
		}
		y.now = earliest(wake, down)
	}
}

// install checks that this is a time for it, and lets it pass.
func (y *yearOf) install(slot Slot) {
	c, loc := y.m.Calendar, y.m.Zone
	y.begun++
	latestBatch := y.now.Add(time.Duration(y.rng.Int64N(int64(slot.To.Sub(y.now)))))
	for _, t := range []time.Time{y.now, latestBatch} {
		if _, open := c.Open(t, loc); !open && !slot.Outside || c.FrozenAt(t, loc) {
			y.Fatalf("%v: installs at %v in %v", c, t.In(loc), slot)
		}
	}
	if slot.Outside {
		missed, ok := y.m.Missed(y.r, y.now)
		if due, may := y.m.CatchUp.Due(missed); !ok || !may || y.now.Before(due) {
			y.Fatalf("%v: installs at %v outside of a window; missed: %v", c, y.now.In(loc), missed)
		}
	} else if !y.r.Tried.IsZero() && y.now.Before(y.r.Tried) {
		y.Fatalf("installs at %v, while the last one goes on until %v", y.now, y.r.Tried)
	}
	if y.always || y.rng.IntN(2) == 0 {
		y.r.Used = y.now
		y.quiet = y.now.AddDate(0, 0, y.rng.IntN(10))
	}
	y.now = y.now.Add(time.Duration(1+y.rng.IntN(20)) * time.Minute)
	y.r.Tried = y.now
}

// notMissed: a host that is always there misses no window, unless it is so
// short that an installation before it may last longer.
func (y *yearOf) notMissed() {
	if s, missed := y.m.Missed(y.r, y.now); missed && y.always && s.Length() >= time.Hour {
		y.Fatalf("%v: %v was missed; used at %v", y.m.Calendar, s, y.r.Used)
	}
}

func TestAYearInTheWindows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y := drawYear(t)
		y.run()
		if y.always && y.begun < 8 { // frozen for up to four months
			t.Fatalf("%v: %d installations in a year", y.m.Calendar, y.begun)
		}
	})
}

// A host that comes up after a missed window installs in time.
func TestMissedWindowIsCaughtUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := drawZone(t)
		c := &Calendar{Windows: drawWindows(t)}
		start := drawTime(t, loc)
		missed, _ := c.Next(start, loc)
		after := time.Duration(rapid.IntRange(0, 72).Draw(t, "deadline")) * time.Hour
		whole, _ := c.Open(missed.From, loc)
		up := whole.To.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "hours")) * time.Hour)
		m := Maintenance{Calendar: c, Zone: loc, Host: rapid.String().Draw(t, "host"), CatchUp: CatchUp{outside: true, after: after}}
		slot, ok := m.Slot(Record{Since: start, Up: up}, up, up)
		limit := latest(up, whole.To.Add(after))
		if open, ok := c.Open(limit, loc); ok {
			limit = open.To // while a window is open, nothing is caught up outside
		}
		if !ok || slot.From.After(limit.Add(widest)) {
			t.Fatalf("%v: up at %v, installs at %v %v; want by %v", c, up, slot, ok, limit)
		}
	})
}
