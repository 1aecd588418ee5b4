package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/silence"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

type silenceFile struct {
	ID        string           `yaml:"id,required"`
	Tenant    string           `yaml:"tenant"`
	Matchers  []string         `yaml:"matchers,required"`
	Start     time.Time        `yaml:"start"`
	End       time.Time        `yaml:"end"`
	Hours     *activeHoursFile `yaml:"hours"`
	CreatedBy string           `yaml:"created_by,required"`
	Comment   string           `yaml:"comment,required"`
}

// activeHoursFile is when a rule or a silence counts.
type activeHoursFile struct {
	Zone     Zone            `yaml:"timezone,required"`
	Spans    []hoursSpanFile `yaml:"hours,required"`
	Holidays []string        `yaml:"holidays"`
}

// silences checks the silences of a file, one by one and their IDs together.
func (d *Document) silences(files []silenceFile) []silence.Silence {
	var list []silence.Silence
	ids := map[string]map[string]bool{} // by tenant
	for i, f := range files {
		path := fmt.Sprintf("silences[%d]", i)
		if ids[f.Tenant] == nil {
			ids[f.Tenant] = map[string]bool{}
		}
		d.unique(ids[f.Tenant], path+".id", f.ID)
		s := silence.Silence{
			ID: f.ID, Tenant: f.Tenant, Matchers: f.Matchers, Start: f.Start, End: f.End, Hours: f.Hours.hours(d, path+".hours"),
			CreatedBy: f.CreatedBy, Comment: f.Comment,
		}
		keys := map[string]string{"ID": "id", "End": "end", "Hours": "hours", "CreatedBy": "created_by", "Comment": "comment"}
		for _, e := range split(s.Validate()) {
			bad := (*silence.FieldError)(nil)
			if !errors.As(e, &bad) {
				continue
			}
			field, code := keys[bad.Field], "out_of_range"
			if field == "" { // a place in the list of matchers
				field, code = strings.ToLower(bad.Field), "bad_matcher"
			}
			if at := path + "." + field; !d.failed(at) && !d.failed(path+".start") {
				if bad.Err != nil {
					d.Fail(at, code, "%q: %v", bad.Value, bad.Err)
				} else {
					d.Fail(at, code, "%q, want %s", bad.Value, bad.Want)
				}
			}
		}
		list = append(list, s)
	}
	return list
}

// hours reads the hours at a path, nil for none. Every problem is reported where it stands.
func (f *activeHoursFile) hours(d *Document, path string) *calendar.Hours {
	if f == nil || f.Zone.Location == nil {
		return nil
	}
	h := calendar.Hours{Zone: f.Zone.String(), Week: calendar.Week{}, Holidays: f.Holidays}
	places := map[string]string{} // in the file, by the place in the week
	for i, span := range f.Spans {
		at := fmt.Sprintf("%s.hours[%d]", path, i)
		for k, name := range span.Days {
			day, ok := weekday(name)
			if !ok {
				d.report(fmt.Sprintf("%s.days[%d]", at, k), "bad_enum", spelling.Nearest(name, weekdays), fmt.Sprintf("found %q, want Mon to Sun", name))
				continue
			}
			places[fmt.Sprintf("week.%s[%d]", strings.ToLower(day.String()), len(h.Week[day]))] = at
			h.Week[day] = append(h.Week[day], calendar.Span{From: span.From, To: span.To})
		}
	}
	if d.failed(path) {
		return nil
	}
	_, err := calendar.New(h)
	for _, e := range split(err) {
		at := path
		if bad := (*calendar.HoursError)(nil); errors.As(e, &bad) {
			if n := strings.LastIndexByte(bad.Path, '.'); n > 0 && places[bad.Path[:n]] != "" {
				at = places[bad.Path[:n]] + bad.Path[n:]
			} else if strings.HasPrefix(bad.Path, "holidays") {
				at = path + "." + bad.Path
			}
		}
		if !d.failed(at) { // one span stands for many days
			d.Fail(at, "out_of_range", "%v", e)
		}
	}
	return &h
}
