package locale_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/locale"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func amsterdam(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func of(t *testing.T, tag string) *locale.Locale {
	t.Helper()
	l, ok := locale.Of(tag)
	if !ok {
		t.Fatalf("no locale %q", tag)
	}
	return l
}

// Forms as the Unicode CLDR 46 has them, with the code of the currency in the place of
// its sign: a no-break space before it, a narrow one between French thousands.
func TestForms(t *testing.T) {
	at := time.Date(2026, 3, 5, 14, 7, 9, 0, amsterdam(t))
	fee := money.Must(money.Parse("-1234567.50 EUR"))
	for _, c := range []struct {
		tag                                               string
		number, small, percent, amount                    string
		time, second, date, day, month, shortMonth, hours string
	}{
		{
			"en", "-1234567.5", "999", "99.926174 %", "-1234567.50 EUR",
			"5 Mar 2026 14:07 CET", "5 Mar 2026 14:07:09 CET", "5 Mar 2026", "5 Mar", "March 2026", "Mar 2026", "8h10m",
		},
		{
			"de", "-1.234.567,5", "999", "99,926174\u00a0%", "-1.234.567,50\u00a0EUR",
			"05.03.2026 14:07 CET", "05.03.2026 14:07:09 CET", "05.03.2026", "5. März", "März 2026", "März 2026", "8\u00a0h\u00a010\u00a0min",
		},
		{
			"nl", "-1.234.567,5", "999", "99,926174%", "EUR\u00a0-1.234.567,50",
			"05-03-2026 14:07 CET", "05-03-2026 14:07:09 CET", "05-03-2026", "5 mrt", "maart 2026", "mrt 2026", "8\u00a0u\u00a010\u00a0min",
		},
		{
			"fr", "-1\u202f234\u202f567,5", "999", "99,926174\u202f%", "-1\u202f234\u202f567,50\u00a0EUR",
			"05/03/2026 14:07 CET", "05/03/2026 14:07:09 CET", "05/03/2026", "5 mars", "mars 2026", "mars 2026", "8\u00a0h\u00a010\u00a0min",
		},
	} {
		l := of(t, c.tag)
		got := []string{
			l.Tag(), l.Number("-1234567.5"), l.Number("999"), l.Percent("99.926174"), l.Amount(fee),
			l.Time(at), l.Second(at), l.Date(at), l.Day(at), l.Month(at), l.ShortMonth(at), l.Duration(8*time.Hour + 10*time.Minute),
		}
		want := []string{c.tag, c.number, c.small, c.percent, c.amount, c.time, c.second, c.date, c.day, c.month, c.shortMonth, c.hours}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: got %q, want %q", c.tag, got[i], want[i])
			}
		}
	}
}

func TestNumberIsNotOne(t *testing.T) {
	l := of(t, "de")
	for _, text := range []string{"", "-", "1e6", "no data", "1,5", "1.", ".5", "+1", "--1"} {
		if got := l.Number(text); got != text {
			t.Errorf("Number(%q) = %q, want it as it is", text, got)
		}
	}
	if got := l.Amount(money.Amount{}); got != (money.Amount{}).String() {
		t.Errorf("Amount of nothing = %q", got)
	}
	if got := l.Percent("99.9%"); got != "99,9\u00a0%" {
		t.Errorf("Percent with its sign = %q", got)
	}
}

// On 25 October 2026 the clock of Amsterdam goes back from 3:00 CEST to 2:00 CET, on
// 28 March 2027 it goes from 2:00 CET to 3:00 CEST.
func TestRange(t *testing.T) {
	zone := amsterdam(t)
	back := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC) // 2:30 CEST
	for _, c := range []struct {
		tag      string
		from, to time.Time
		want     string
	}{
		{"en", time.Date(2026, 9, 1, 0, 0, 0, 0, zone), time.Date(2026, 10, 1, 0, 0, 0, 0, zone), "1 Sep 2026 00:00 CEST to 1 Oct 2026 00:00 CEST"},
		{"en", time.Date(2026, 10, 1, 0, 0, 0, 0, zone), time.Date(2026, 11, 1, 0, 0, 0, 0, zone), "1 Oct 2026 00:00 CEST to 1 Nov 2026 00:00 CET"},
		{"de", back.In(zone), back.Add(time.Hour), "25.10.2026 02:30 CEST bis 02:30 CET"},
		{"nl", time.Date(2027, 3, 28, 1, 0, 0, 0, zone), time.Date(2027, 3, 28, 4, 0, 0, 0, zone), "28-03-2027 01:00 CET tot 04:00 CEST"},
		{"fr", time.Date(2024, 2, 29, 22, 0, 0, 0, zone), time.Date(2024, 2, 29, 23, 0, 0, 0, zone), "29/02/2024 22:00 – 23:00 CET"},
		{"en", time.Date(2026, 12, 31, 23, 0, 0, 0, zone), time.Date(2027, 1, 1, 1, 0, 0, 0, zone), "31 Dec 2026 23:00 CET to 1 Jan 2027 01:00 CET"},
	} {
		if got := of(t, c.tag).Range(c.from, c.to); got != c.want {
			t.Errorf("%s: got %q, want %q", c.tag, got, c.want)
		}
	}
}

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		tag  string
		d    time.Duration
		want string
	}{
		{"en", 0, "0s"},
		{"en", time.Hour, "1h"},
		{"en", time.Minute, "1m"},
		{"en", 45 * time.Second, "45s"},
		{"de", 0, "0\u00a0s"},
		{"de", -90 * time.Second, "-1\u00a0min\u00a030\u00a0s"},
		{"de", 1500 * time.Millisecond, "1,5\u00a0s"},
		{"de", 10 * time.Millisecond, "0,01\u00a0s"},
		{"de", time.Hour + time.Second, "1\u00a0h\u00a01\u00a0s"},
		{"fr", 2000 * time.Hour, "2\u202f000\u00a0h"},
		// 2⁶³ ns = 2562047 h 47 min 16.854775808 s
		{"nl", math.MinInt64, "-2.562.047\u00a0u\u00a047\u00a0min\u00a016,854775808\u00a0s"},
	} {
		if got := of(t, c.tag).Duration(c.d); got != c.want {
			t.Errorf("%s: Duration(%d) = %q, want %q", c.tag, c.d, got, c.want)
		}
	}
}

func TestMonthsAreThere(t *testing.T) {
	for _, tag := range locale.Tags() {
		var names []string
		for m := time.January; m <= time.December; m++ {
			at := time.Date(2026, m, 3, 0, 0, 0, 0, time.UTC)
			names = append(names, of(t, tag).Month(at), of(t, tag).Day(at))
		}
		slices.Sort(names)
		if n := len(slices.Compact(names)); n != 24 {
			t.Errorf("%s: %d different months and days, want 24", tag, n)
		}
	}
}

func TestOf(t *testing.T) {
	if got := locale.Tags(); !slices.Equal(got, []string{"en", "de", "nl", "fr"}) {
		t.Errorf("Tags() = %v", got)
	}
	for tag, want := range map[string]string{"DE": "de", "fr-CA": "fr", "nl-BE": "nl", "en-GB": "en"} {
		if l, ok := locale.Of(tag); !ok || l.Tag() != want {
			t.Errorf("Of(%q) = %s, %v, want %s", tag, l.Tag(), ok, want)
		}
	}
	for _, tag := range []string{"", "da", "deu", "d", "-de"} {
		if l, ok := locale.Of(tag); ok || l.Tag() != "en" {
			t.Errorf("Of(%q) = %s, %v, want English and false", tag, l.Tag(), ok)
		}
	}
	var none *locale.Locale
	if got := none.Percent("99.9") + " " + none.Tag(); got != "99.9 % en" {
		t.Errorf("a nil locale writes %q, want English", got)
	}
}

func ExampleLocale() {
	l, _ := locale.Of("de")
	fmt.Printf("%q %q\n", l.Percent("99.926174"), l.Amount(money.Must(money.Parse("22000.00 EUR"))))
	fmt.Printf("%q %q\n", l.Month(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)), l.Duration(8*time.Hour+10*time.Minute))
	// Output:
	// "99,926174\u00a0%" "22.000,00\u00a0EUR"
	// "Oktober 2026" "8\u00a0h\u00a010\u00a0min"
}
