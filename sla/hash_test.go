package sla_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func TestDigestText(t *testing.T) {
	// SHA-256 of "abc", FIPS 180-2, appendix B.1.
	d := sla.Digest(sha256.Sum256([]byte("abc")))
	const text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	equalText(t, "text", d, text)
	for _, want := range []sla.Digest{d, {}} {
		text, err := want.MarshalText()
		noError(t, err)
		var back sla.Digest
		noError(t, back.UnmarshalText(text))
		if back != want || back.IsZero() != (len(text) == 0) {
			t.Errorf("digest %q reads as %q", text, back)
		}
	}
	for name, bad := range map[string]string{
		"no algorithm": text[len("sha256:"):], "another algorithm": "sha1:" + text[len("sha256:"):], "capitals": strings.ToUpper(text),
		"too short": text[:len(text)-2], "too long": text + "00", "no digits": text[:len(text)-1] + "g", "zero": "sha256:" + strings.Repeat("0", 64),
	} {
		var back sla.Digest
		if err := back.UnmarshalText([]byte(bad)); err == nil || !strings.Contains(err.Error(), "want \"sha256:\"") {
			t.Errorf("%s: UnmarshalText(%q) = %v, want an error that says what was expected", name, bad, err)
		}
	}
}

// fill sets every field of a value to something of its own.
func fill(v reflect.Value, n *int) {
	*n++
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Date(2026, 10, 1, 0, *n, 0, *n, time.UTC)
		return
	case *money.Amount:
		*x = money.Must(money.New(int64(*n), "EUR"))
		return
	case *incident.Severity:
		*x = incident.Severities[*n%4]
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d <&>\"\\\u00e9\u2028\x01", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 3 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n)
			fill(value, n)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, n)
		}
	default:
		panic("fill: " + v.Type().String())
	}
}

func fullEvidence() sla.Evidence {
	var e sla.Evidence
	n := 0
	fill(reflect.ValueOf(&e).Elem(), &n)
	return e
}

// leaves calls visit for every value without parts, with its path.
func leaves(v reflect.Value, path string, visit func(path string, v reflect.Value)) {
	switch v.Interface().(type) {
	case time.Time, money.Amount, incident.Severity:
		visit(path, v)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			leaves(v.Elem(), path, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			leaves(v.Index(i), fmt.Sprintf("%s[%d]", path, i), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			leaves(v.Field(i), path+"."+v.Type().Field(i).Name, visit)
		}
	case reflect.Map: // cannot be changed in place
	default:
		visit(path, v)
	}
}

// slowDigest follows the documentation with encoding/json.
func slowDigest(tb testing.TB, e sla.Evidence) sla.Digest {
	tb.Helper()
	canonicalOrder(tb, &e.Outages, func(o sla.Outage) time.Time { return o.Start })
	canonicalOrder(tb, &e.Maintenance, func(m sla.Maintenance) time.Time { return m.Start })
	canonicalOrder(tb, &e.Gaps, func(g sla.Gap) time.Time { return g.Start })
	canonicalOrder(tb, &e.Requests, func(r sla.Requests) time.Time { return r.Start })
	e.Incidents = slices.Clone(e.Incidents)
	for i := range e.Incidents {
		in := &e.Incidents[i]
		in.Updates, in.Resets = slices.SortedFunc(slices.Values(in.Updates), time.Time.Compare), slices.SortedFunc(slices.Values(in.Resets), time.Time.Compare)
		byStart := func(a, b calendar.Interval) int { return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End)) }
		in.Pauses, in.Closed = slices.SortedFunc(slices.Values(in.Pauses), byStart), slices.SortedFunc(slices.Values(in.Closed), byStart)
		in.Severities = slices.SortedStableFunc(slices.Values(in.Severities), func(a, b sla.SeverityChange) int { return a.At.Compare(b.At) })
	}
	canonicalOrder(tb, &e.Incidents, func(in sla.Incident) time.Time { return in.Opened })
	canonicalOrder(tb, &e.Losses, func(l sla.Loss) time.Time { return l.At })
	canonicalOrder(tb, &e.Changes, func(c sla.Change) time.Time { return c.Start })
	canonicalOrder(tb, &e.Restores, func(r sla.Restore) time.Time { return r.Started })
	canonicalOrder(tb, &e.Issued, func(i sla.IssuedCredit) time.Time { return i.At })
	data, err := json.Marshal(e)
	noError(tb, err)
	return sha256.Sum256(data)
}

func canonicalOrder[T any](tb testing.TB, list *[]T, at func(T) time.Time) {
	tb.Helper()
	*list = slices.Clone(*list)
	slices.SortFunc(*list, func(a, b T) int {
		textA, errA := json.Marshal(a)
		textB, errB := json.Marshal(b)
		noError(tb, cmp.Or(errA, errB))
		return cmp.Or(at(a).Compare(at(b)), bytes.Compare(textA, textB))
	})
}

// The form is that of encoding/json, whatever is set. A field that the digest
// does not know of yet is found here.
func TestEvidenceDigestIsThatOfTheJSON(t *testing.T) {
	for name, e := range map[string]sla.Evidence{
		"nothing": {},
		"all":     fullEvidence(),
		"zero items": {
			Outages: make([]sla.Outage, 2), Maintenance: make([]sla.Maintenance, 2), Gaps: make([]sla.Gap, 2), Requests: make([]sla.Requests, 2),
			Incidents: make([]sla.Incident, 2), Losses: make([]sla.Loss, 2), Changes: make([]sla.Change, 2), Restores: make([]sla.Restore, 2),
			Issued: make([]sla.IssuedCredit, 2), Invoiced: make([]money.Amount, 2), Fees: map[string]money.Amount{"": {}},
		},
		"empty lists": {Outages: []sla.Outage{}, Incidents: []sla.Incident{{Updates: []time.Time{}}}, Fees: map[string]money.Amount{}},
	} {
		data, err := json.Marshal(e)
		noError(t, err)
		if want, got := slowDigest(t, e), digest(t, e); want != got {
			t.Errorf("%s: digest = %s, want %s of %s", name, got, want, data)
		}
	}
	r := rand.New(rand.NewPCG(11, 12))
	a := reference(t, sla.Enterprise)
	for range 200 {
		p := a.PeriodAt(time.Date(2026, time.Month(1+r.IntN(12)), 15, 0, 0, 0, 0, time.UTC))
		e := randomEvidence(r, p)
		for i := range 60 { // more than the buffer holds, with many of the same instant
			at := p.Start.Add(time.Duration(r.IntN(20)) * time.Minute)
			e.Requests = append(e.Requests, sla.Requests{Service: fmt.Sprint("s", i), Start: at, Total: 100, Failed: r.Uint64N(100)})
		}
		if want, got := slowDigest(t, e), digest(t, e); want != got {
			t.Fatalf("digest = %s, want %s of %+v", got, want, e)
		}
	}
}

func TestEvidenceDigestChangesWithEveryItem(t *testing.T) {
	e := fullEvidence()
	seen := map[sla.Digest]string{}
	once := func(what string, e sla.Evidence) {
		t.Helper()
		d := digest(t, e)
		if other, ok := seen[d]; ok {
			t.Errorf("%s: the digest is that of %s", what, other)
		}
		seen[d] = what
	}
	once("the whole", e)
	changed := 0
	leaves(reflect.ValueOf(&e).Elem(), "", func(path string, v reflect.Value) {
		before := reflect.New(v.Type()).Elem()
		before.Set(v)
		switch x := v.Addr().Interface().(type) {
		case *time.Time:
			*x = x.Add(1)
		case *money.Amount:
			*x = money.Must(money.New(x.Minor()+1000, "EUR"))
		case *incident.Severity:
			*x = incident.P1 + (*x)%4
		default:
			switch v.Kind() {
			case reflect.String:
				v.SetString(v.String() + "!")
			case reflect.Bool:
				v.SetBool(!v.Bool())
			case reflect.Uint64:
				v.SetUint(v.Uint() + 1000)
			default:
				v.SetInt(v.Int() + 1000)
			}
		}
		once(path, e)
		changed++
		v.Set(before)
	})
	if changed < 150 {
		t.Errorf("%d values changed, want those of all fields", changed)
	}
	if seen[digest(t, e)] != "the whole" {
		t.Error("a change was not taken back")
	}
	e.Fees["more"] = money.Must(money.New(1, "EUR"))
	once("another fee", e)
	for name, drop := range map[string]func(*sla.Evidence){
		"outage":      func(e *sla.Evidence) { e.Outages = e.Outages[1:] },
		"maintenance": func(e *sla.Evidence) { e.Maintenance = e.Maintenance[1:] },
		"incident":    func(e *sla.Evidence) { e.Incidents = e.Incidents[1:] },
		"repetition":  func(e *sla.Evidence) { e.Gaps = append(e.Gaps, e.Gaps[0]) },
	} {
		other := fullEvidence()
		drop(&other)
		once(name, other)
	}
}

func TestEvidenceDigestKnowsNoOrderAndNoZone(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	noError(t, err)
	r := rand.New(rand.NewPCG(13, 14))
	e := fullEvidence()
	e.Outages = append(e.Outages, e.Outages[0], sla.Outage{Start: e.Outages[0].Start}, sla.Outage{Start: e.Outages[0].Start, Degraded: true})
	want := digest(t, e)
	for range 100 {
		o := fullEvidence()
		o.Outages = slices.Clone(e.Outages)
		shuffle(r, o.Outages)
		shuffle(r, o.Maintenance)
		shuffle(r, o.Gaps)
		shuffle(r, o.Requests)
		shuffle(r, o.Incidents)
		shuffle(r, o.Losses)
		shuffle(r, o.Changes)
		shuffle(r, o.Restores)
		shuffle(r, o.Issued)
		for i := range o.Incidents {
			shuffle(r, o.Incidents[i].Severities)
			shuffle(r, o.Incidents[i].Updates)
			shuffle(r, o.Incidents[i].Pauses)
			shuffle(r, o.Incidents[i].Closed)
			shuffle(r, o.Incidents[i].Resets)
		}
		leaves(reflect.ValueOf(&o).Elem(), "", func(_ string, v reflect.Value) {
			if at, ok := reflect.TypeAssert[*time.Time](v.Addr()); ok && r.IntN(2) == 0 {
				*at = at.In(tokyo)
			}
		})
		if got := digest(t, o); got != want {
			t.Fatalf("digest = %s, want %s", got, want)
		}
	}
	slices.Reverse(e.Invoiced)
	if digest(t, e) == want {
		t.Error("the order of the invoices does not matter, want oldest first")
	}
}

func TestEvidenceDigestError(t *testing.T) {
	_, err := sla.Evidence{Incidents: []sla.Incident{{ID: "x", Severity: 9}}}.Digest()
	if _, ok := errors.AsType[*incident.SeverityError](err); !ok {
		t.Errorf("Digest = %v, want a SeverityError", err)
	}
}

func TestEvidenceJSON(t *testing.T) {
	e := fullEvidence()
	data, err := json.Marshal(e)
	noError(t, err)
	var back sla.Evidence
	noError(t, json.Unmarshal(data, &back))
	if !reflect.DeepEqual(e, back) {
		t.Errorf("evidence changes on the way through JSON:\n%+v\n%+v", e, back)
	}
	equalText(t, "digest", digest(t, back), digest(t, e))
}

func TestContractDigest(t *testing.T) {
	preset := func() sla.Contract {
		c := sla.Preset("acme", sla.Essential, "Europe/Amsterdam", sla.Essential.Offer().FeeFrom)
		c.From = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		return c
	}
	want, err := preset().Digest()
	noError(t, err)
	data, err := json.Marshal(preset())
	noError(t, err)
	equalText(t, "digest", want, sla.Digest(sha256.Sum256(data)))

	var back sla.Contract
	noError(t, json.Unmarshal(data, &back))
	back.From = back.From.In(time.FixedZone("", 3600))
	got, err := back.Digest()
	noError(t, err)
	equalText(t, "digest after JSON and in another zone", got, want)

	for name, change := range map[string]func(*sla.Contract){
		"fee":       func(c *sla.Contract) { c.Fee = sla.Essential.Offer().FeeTo },
		"target":    func(c *sla.Contract) { c.Terms[0].Availability.Target++ },
		"measure":   func(c *sla.Contract) { c.Terms[0].Availability.Measure = sla.Uptime{} },
		"remedy":    func(c *sla.Contract) { c.Terms[0].Availability.Remedy = sla.LostTime{Times: 2} },
		"calendar":  func(c *sla.Contract) { c.Calendars = map[string]calendar.Hours{} },
		"severity":  func(c *sla.Contract) { c.Terms[1].Response.Targets[0].Within++ },
		"no term":   func(c *sla.Contract) { c.Terms = c.Terms[:4] },
		"unbounded": func(c *sla.Contract) { c.From = time.Time{} },
	} {
		c := preset()
		change(&c)
		got, err := c.Digest()
		noError(t, err)
		if got == want {
			t.Errorf("%s: another contract with the same digest", name)
		}
	}
}

// half is a measure and a remedy that files have no name for.
type half struct{}

func (half) Measure(sla.Sample) (sla.Reading, error) {
	value, err := sla.NewFraction(1, 2)
	return sla.Reading{Value: value}, err
}

func (half) Credits(sla.Miss) ([]sla.Line, error) { return nil, nil }

func TestContractDigestOfUnnamedKinds(t *testing.T) {
	for path, change := range map[string]func(*sla.Availability){
		"terms[0].availability.measure": func(a *sla.Availability) { a.Measure = half{} },
		"terms[0].availability.remedy":  func(a *sla.Availability) { a.Remedy = half{} },
	} {
		c := sla.Preset("acme", sla.Essential, "Europe/Amsterdam", sla.Essential.Offer().FeeFrom)
		change(c.Terms[0].Availability)
		_, err := c.Digest()
		if err == nil || !strings.Contains(err.Error(), path+": sla_test.half") {
			t.Errorf("Digest = %v, want an error at %s", err, path)
		}

		a, err := sla.Compile(c)
		noError(t, err)
		p := month(t, a, "2026-10")
		s := evaluate(t, a, p, sla.Evidence{Observed: p.Interval})
		if !s.Inputs.Contract.IsZero() || s.Inputs.Evidence.IsZero() {
			t.Errorf("inputs = %+v, want the evidence alone", s.Inputs)
		}
	}
}

// The period of the inputs is the one asked for, whatever the contract cuts off.
func TestInputs(t *testing.T) {
	c := sla.Preset("acme", sla.Essential, "Europe/Amsterdam", sla.Essential.Offer().FeeFrom)
	c.From = time.Date(2026, 10, 16, 0, 0, 0, 0, time.UTC)
	a, err := sla.Compile(c)
	noError(t, err)
	p := month(t, a, "2026-10")
	e := sla.Evidence{Observed: p.Interval}
	s := evaluate(t, a, p, e)
	want := sla.Inputs{Evidence: digest(t, e), Period: p}
	want.Contract, err = c.Digest()
	noError(t, err)
	equalText(t, "inputs", s.Inputs, want)
	equalText(t, "start", s.Period.Start, c.From)
}

func FuzzDigest(f *testing.F) {
	f.Add("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		var d sla.Digest
		if err := d.UnmarshalText([]byte(text)); err == nil && d.String() != text {
			t.Errorf("UnmarshalText(%q) = %q", text, d)
		}
	})
}
