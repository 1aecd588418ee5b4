package interval_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/interval"
)

func parse(tb testing.TB, text string) interval.Interval {
	tb.Helper()
	var i interval.Interval
	if err := json.Unmarshal([]byte(text), &i); err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return i
}

func at(tb testing.TB, text string) time.Time {
	tb.Helper()
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// The calendar says what is expected: 1 March 2026 is a Sunday. The clock is put
// forward on 29 March 2026 in Berlin and on 8 March in New York, and back on 25
// October and 1 November.
func TestContains(t *testing.T) {
	for _, c := range []struct {
		name, interval, at string
		excludes           interval.Part
	}{
		{"nothing said", `{}`, "2026-03-01T00:00:00Z", ""},
		{"empty list", `{"months":[]}`, "2026-03-01T00:00:00Z", "months"},
		{"start of a minute", `{"times":[{"start_time":"09:00","end_time":"17:00"}]}`, "2026-03-01T09:00:00Z", ""},
		{"second before", `{"times":[{"start_time":"09:00","end_time":"17:00"}]}`, "2026-03-01T08:59:59Z", "times"},
		{"end of a minute", `{"times":[{"start_time":"09:00","end_time":"17:00"}]}`, "2026-03-01T17:00:00Z", "times"},
		{"end of the day", `{"times":[{"start_time":"00:00","end_time":"24:00"}]}`, "2026-03-01T23:59:59Z", ""},
		{"one of two", `{"times":[{"start_time":"00:00","end_time":"06:00"},{"start_time":"22:00","end_time":"24:00"}]}`, "2026-03-01T22:00:00Z", ""},
		{"UTC, not the zone of the instant", `{"times":[{"start_time":"09:00","end_time":"10:00"}]}`, "2026-03-01T11:30:00+02:00", ""},
		{"weekday", `{"weekdays":["monday:friday"]}`, "2026-03-02T00:00:00Z", ""},
		{"sunday is first", `{"weekdays":["sunday:monday"]}`, "2026-03-01T00:00:00Z", ""},
		{"weekend", `{"weekdays":["Monday:FRIDAY"]}`, "2026-03-07T00:00:00Z", "weekdays"},
		{"last day", `{"days_of_month":["-1"]}`, "2026-02-28T23:59:00Z", ""},
		{"last day of a leap year", `{"days_of_month":["-1"]}`, "2028-02-28T12:00:00Z", "days_of_month"},
		{"last three days", `{"days_of_month":["-3:-1"]}`, "2026-04-28T00:00:00Z", ""},
		{"fourth from the end", `{"days_of_month":["-3:-1"]}`, "2026-04-27T23:59:00Z", "days_of_month"},
		{"to the end", `{"days_of_month":["15:-1"]}`, "2026-04-30T00:00:00Z", ""},
		{"clamped at the end", `{"days_of_month":["28:31"]}`, "2026-02-28T00:00:00Z", ""},
		{"31st of a shorter month", `{"days_of_month":["31"]}`, "2026-04-30T00:00:00Z", "days_of_month"},
		{"clamped at the start", `{"days_of_month":["-31:-28"]}`, "2026-02-01T00:00:00Z", ""},
		{"before the month", `{"days_of_month":["-31:-29"]}`, "2026-02-01T00:00:00Z", "days_of_month"},
		{"months", `{"months":["october:12"]}`, "2026-12-31T23:59:59Z", ""},
		{"other month", `{"months":["1:march","may"]}`, "2026-04-01T00:00:00Z", "months"},
		{"no month", `{"months":["0:13"]}`, "2026-04-01T00:00:00Z", ""},
		{"years", `{"years":["2024:2026"]}`, "2026-12-31T23:59:59Z", ""},
		{"other year", `{"years":["2024:2026"]}`, "2027-01-01T00:00:00Z", "years"},
		{"zone", `{"times":[{"start_time":"09:00","end_time":"10:00"}],"location":"Asia/Kolkata"}`, "2026-03-01T03:30:00Z", ""},
		{"zone moves the day", `{"weekdays":["monday"],"location":"Australia/Sydney"}`, "2026-03-01T13:00:00Z", ""},
		{"zone moves the year", `{"years":["2027"],"location":"Asia/Tokyo"}`, "2026-12-31T15:00:00Z", ""},
		{"before the gap", `{"times":[{"start_time":"02:00","end_time":"03:00"}],"location":"Europe/Berlin"}`, "2026-03-29T00:59:59Z", "times"},
		{"the gap has no instant", `{"times":[{"start_time":"02:00","end_time":"03:00"}],"location":"Europe/Berlin"}`, "2026-03-29T01:00:00Z", "times"},
		{"fold, first", `{"times":[{"start_time":"02:00","end_time":"03:00"}],"location":"Europe/Berlin"}`, "2026-10-25T00:30:00Z", ""},
		{"fold, second", `{"times":[{"start_time":"02:00","end_time":"03:00"}],"location":"Europe/Berlin"}`, "2026-10-25T01:30:00Z", ""},
		{"after the fold", `{"times":[{"start_time":"02:00","end_time":"03:00"}],"location":"Europe/Berlin"}`, "2026-10-25T02:00:00Z", "times"},
		// As Alertmanager does, see the limits of the package: March has 30 days there.
		{"31 March in Berlin is no last day", `{"days_of_month":["-1"],"location":"Europe/Berlin"}`, "2026-03-31T12:00:00Z", "days_of_month"},
		{"30 March in Berlin is one", `{"days_of_month":["-1"],"location":"Europe/Berlin"}`, "2026-03-30T12:00:00Z", ""},
		{"31 March in Berlin is in no range", `{"days_of_month":["1:31"],"location":"Europe/Berlin"}`, "2026-03-31T12:00:00Z", "days_of_month"},
		{"31 March in UTC", `{"days_of_month":["-1"]}`, "2026-03-31T12:00:00Z", ""},
		{"31 October in Berlin", `{"days_of_month":["-1"],"location":"Europe/Berlin"}`, "2026-10-31T12:00:00Z", ""},
	} {
		i := parse(t, c.interval)
		if got := i.Excludes(at(t, c.at)); got != c.excludes || i.Contains(at(t, c.at)) != (c.excludes == "") {
			t.Errorf("%s: Excludes(%s) of %v = %q, want %q", c.name, c.at, i, got, c.excludes)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{
		`{"times":[{"start_time":"9:00","end_time":"10:00"}]}`,
		`{"times":[{"start_time":"09:00","end_time":"24:01"}]}`,
		`{"times":[{"start_time":"09:60","end_time":"10:00"}]}`,
		`{"times":[{"start_time":"","end_time":"10:00"}]}`,
		`{"weekdays":["mon"]}`,
		`{"weekdays":["friday:monday"]}`,
		`{"weekdays":["1"]}`,
		`{"weekdays":["monday:tuesday:friday"]}`,
		`{"weekdays":["monday: friday"]}`,
		`{"days_of_month":["0"]}`,
		`{"days_of_month":["32"]}`,
		`{"days_of_month":["-32"]}`,
		`{"days_of_month":["-5:5"]}`,
		`{"days_of_month":["5:3"]}`,
		`{"days_of_month":["-1:-3"]}`,
		`{"days_of_month":["30:-1"]}`, // the 30th to the 28th in a short month
		`{"months":["march:january"]}`,
		`{"months":["mar"]}`,
		`{"years":["2027:2026"]}`,
		`{"years":["next"]}`,
		`{"location":"Europe/Nowhere"}`,
	} {
		var i interval.Interval
		err := json.Unmarshal([]byte(text), &i)
		if _, ok := errors.AsType[*interval.RangeError](err); !ok {
			t.Errorf("%s = %v, %v, want a RangeError", text, i, err)
		}
	}
	bad := interval.Interval{
		Times: []interval.Times{{Start: 60, End: 60}}, Weekdays: []interval.Weekdays{{First: 3, Last: 2}}, DaysOfMonth: []interval.DaysOfMonth{{}},
		Months: []interval.Months{{First: 2, Last: 1}}, Years: []interval.Years{{First: 2, Last: 1}},
	}
	err := bad.Validate()
	for _, want := range []string{"times[0]: ", "weekdays[0]: ", "days_of_month[0]: ", "months[0]: ", "years[0]: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate = %v, want %q in it", err, want)
		}
	}
}

func TestText(t *testing.T) {
	const text = `{"times":[{"start_time":"09:00","end_time":"24:00"}],"weekdays":["monday:friday","sunday"],"days_of_month":["1:7","-1"],"months":["january:march","13"],"years":["2026"],"location":"Europe/Amsterdam"}`
	i := parse(t, text)
	if again, err := json.Marshal(i); err != nil || string(again) != text {
		t.Errorf("written again:\n%s, %v, want\n%s", again, err, text)
	}
	const want = "times 09:00-24:00; weekdays monday:friday, sunday; days_of_month 1:7, -1; months january:march, 13; years 2026; location Europe/Amsterdam"
	if got := i.String(); got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
	if got := (interval.Interval{}).String(); got != "always" {
		t.Errorf("String of the zero Interval = %q, want always", got)
	}
	if got, err := json.Marshal(interval.Interval{}); err != nil || string(got) != "{}" {
		t.Errorf("the zero Interval as JSON = %s, %v, want {}", got, err)
	}
	if err := i.Validate(); err != nil {
		t.Errorf("Validate = %v, want nil", err)
	}
}

func TestSet(t *testing.T) {
	set := interval.Set{
		"nights": {parse(t, `{"times":[{"start_time":"00:00","end_time":"06:00"}]}`), parse(t, `{"times":[{"start_time":"05:00","end_time":"07:00"}]}`)},
		"march":  {parse(t, `{"months":["march"]}`)},
		"never":  {},
	}
	for _, c := range []struct {
		at   string
		want []string
	}{
		{"2026-03-01T05:30:00Z", []string{"march", "nights"}},
		{"2026-04-01T06:30:00Z", []string{"nights"}},
		{"2026-04-01T07:00:00Z", nil},
	} {
		if got, err := set.Holding([]string{"march", "never", "nights"}, at(t, c.at)); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("Holding at %s = %q, %v, want %q", c.at, got, err, c.want)
		}
	}
	if got, err := set.Holding([]string{"march", "days"}, at(t, "2026-03-01T05:30:00Z")); !errors.Is(err, interval.ErrUnknown) || got != nil {
		t.Errorf("Holding with an unknown name = %q, %v, want ErrUnknown", got, err)
	}
}

// What reads as a range is written in a way that reads as the same range.
func FuzzRanges(f *testing.F) {
	for _, s := range []string{"monday:friday", "-3:-1", "january:13", "+5", "2026:2027", "09:00", "24:00", "1:2:3", ":"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		check(t, text, new(interval.Weekdays), new(interval.Weekdays))
		check(t, text, new(interval.DaysOfMonth), new(interval.DaysOfMonth))
		check(t, text, new(interval.Months), new(interval.Months))
		check(t, text, new(interval.Years), new(interval.Years))
		check(t, text, new(interval.Clock), new(interval.Clock))
	})
}

func check[T comparable, P interface {
	*T
	UnmarshalText(text []byte) error
	MarshalText() ([]byte, error)
}](t *testing.T, text string, one, two P,
) {
	t.Helper()
	if one.UnmarshalText([]byte(text)) != nil {
		return
	}
	written, err := one.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if err := two.UnmarshalText(written); err != nil || *one != *two {
		t.Fatalf("%q = %v, written as %q, read again as %v, %v", text, *one, written, *two, err)
	}
}

func BenchmarkContains(b *testing.B) {
	i := parse(b, `{"times":[{"start_time":"09:00","end_time":"17:00"}],"weekdays":["monday:friday"],"days_of_month":["1:-1"],"location":"Europe/Berlin"}`)
	noon := at(b, "2026-03-02T11:00:00Z")
	b.ReportAllocs()
	for b.Loop() {
		if !i.Contains(noon) {
			b.Fatal("noon is not in office hours")
		}
	}
}
