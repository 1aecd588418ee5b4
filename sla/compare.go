package sla

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// ContractChange is one thing that two versions of a contract say differently.
type ContractChange struct {
	// Path is that of Issue.Path, with terms and services by their ids and
	// targets by their severity: "terms[response].response.targets[P1].within_ns".
	Path   string `json:"path"`
	Before string `json:"before"` // "" where there was nothing
	After  string `json:"after"`  // "" where nothing is left
	Effect Effect `json:"effect"`
}

// String returns a line such as "fee: 100.00 EUR, now 90.00 EUR (better)".
func (c ContractChange) String() string {
	return fmt.Sprintf("%s: %s, now %s (%s)", c.Path, cmp.Or(c.Before, "nothing"), cmp.Or(c.After, "nothing"), c.Effect)
}

// Effect says what a change means for the customer.
type Effect string

// The effects. A change is better if, taken by itself, it asks more of the
// provider, gives more for a miss or costs less, whatever happens. It is neutral
// if that depends on what happens: longer service hours count more outages, but
// dilute each of them.
const (
	EffectBetter  Effect = "better"
	EffectWorse   Effect = "worse"
	EffectNeutral Effect = "neutral"
)

// Compare lists what a contract says differently from another one, in the order
// of the JSON of before; what only after has follows in each list. Both should be
// valid. Nothing is left out: what says the same in other words, such as a
// default that is written out, is a neutral change.
func Compare(before, after Contract) []ContractChange {
	var out []ContractChange
	d := contractDiff{before, after}
	c := comparison{
		name: termName,
		whole: func(t reflect.Type) bool {
			return t == reflect.TypeFor[Bands]() || t == reflect.TypeFor[calendar.Hours]() ||
				t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Struct
		},
		report: func(at place, a, b reflect.Value) {
			out = append(out, ContractChange{Path: at.path, Before: textOfValue(a), After: textOfValue(b), Effect: d.effect(at, a, b)})
		},
	}
	c.walk(place{}, reflect.ValueOf(before), reflect.ValueOf(after))
	return out
}

// termName is what an item of a contract's lists is called.
func termName(item reflect.Value) string {
	switch x := item.Interface().(type) {
	case Term:
		return x.ID
	case Service:
		return x.ID
	case Target:
		return x.Severity.String()
	}
	return ""
}

type contractDiff struct{ before, after Contract }

// effect judges one change. What is not named here is neutral.
func (d contractDiff) effect(at place, a, b reflect.Value) Effect {
	switch at.field {
	case "Contract.Terms", "Clock.Targets", "Term.Availability", "Term.Response", "Term.Update", "Term.Resolution",
		"Term.Monitoring", "Term.Indicator", "Term.DataLoss":
		return gained(a, b)
	case "Availability.Services":
		return servicesEffect(at, a, b)
	case "Availability.Target", "Availability.Strict", "Service.Target", "Clock.Start", "Clock.Strict",
		"LostTime.Times", "PerInterval.Percent", "PerInterval.Started", "Uptime.AtLeast", "BadSlots.AtLeast",
		"Monitoring.PercentPerHour", "Liability.Fees":
		return higher(a, b)
	case "Contract.Fee", "Contract.Stack", "Term.MoreThan", "Clock.Pausable", "Clock.MeanToo", "LostTime.BeyondTarget", "PerInterval.Interval",
		"PerInterval.Deductible", "Uptime.MinOutage", "Uptime.FromReport", "BadSlots.ErrorRate", "BadSlots.MinRun", "BadSlots.MinRequests", "Events.SlowCredit":
		return higher(b, a)
	case "Contract.CapPercent", "Contract.CapDays", "Contract.CapYearPercent", "Contract.CapInvoicePercent", "Term.CapPercent",
		"LostTime.OutageCapPercent", "PerInterval.OutageCapPercent", "ClaimRule.NotifyBusinessDays":
		return looser(a, b)
	case "Availability.MinNotice":
		if leavesWhole(at.a) && leavesWhole(at.b) {
			return higher(a, b)
		}
	case "Availability.MaintenancePerYear":
		if leavesWhole(at.a) && leavesWhole(at.b) {
			return looser(b, a)
		}
	case "Availability.Exclude":
		if leavesWhole(at.a) && leavesWhole(at.b) {
			return wider(b, a)
		}
	case "Contract.ScopeIn":
		return wider(a, b)
	case "Contract.ScopeOut":
		return wider(b, a)
	case "Contract.Rounding":
		return ranked(a, b, []money.Rounding{money.Down, money.HalfEven, money.HalfUp, money.Up})
	case "Contract.Calendars":
		return d.hours(at, a, b)
	case "ClaimRule.Kind", "ClaimRule.Days", "ClaimRule.Months", "ClaimRule.Periods":
		return claimEffect(at, a, b)
	case "Availability.Remedy":
		return remedyEffect(a, b)
	case "Availability.Aggregate":
		if a.Uint() == uint64(Worst) || b.Uint() == uint64(Worst) {
			return ranked(a, b, []Aggregate{Worst, PerService})
		}
	case "Availability.ExcludeMode":
		if countsTime(at.a) && countsTime(at.b) {
			return higher(a, b) // a smaller whole with the same downtime
		}
	case "Availability.Unknown":
		if countsTime(at.a) && countsTime(at.b) {
			return favours(a.Uint() == uint64(UnknownUp), b.Uint() == uint64(UnknownUp))
		}
	case "Uptime.Overlap":
		if before, after := at.a.FieldByName("Partial"), at.b.FieldByName("Partial"); before.Uint() != uint64(PartialDown) && after.Uint() != uint64(PartialDown) {
			return higher(a, b)
		}
	case "Target.Calendar":
		return d.named(a.String(), b.String())
	case "Monitoring.Count":
		return ranked(a, b, []HourCount{FullHours, ProRata, StartedHours, StartedPerOutage})
	case "Target.Within", "Target.NextDay":
		return soonerEffect(at.a, at.b)
	case "Target.Credit", "Target.CreditPercent", "Indicator.Credit", "Indicator.CreditPercent":
		return creditEffect(at, a, b, "Credit", "CreditPercent")
	case "PerOutage.Amount", "PerOutage.Percent":
		return creditEffect(at, a, b, "Amount", "Percent")
	case "Indicator.Target":
		return indicatorEffect(at.a, at.b)
	}
	return EffectNeutral
}

// favours sums up what speaks for a change and what against it.
func favours(better, worse bool) Effect {
	switch {
	case better && !worse:
		return EffectBetter
	case worse && !better:
		return EffectWorse
	}
	return EffectNeutral
}

func effectOf(order int) Effect { return favours(order > 0, order < 0) }

// gained is better if there was nothing before.
func gained(a, b reflect.Value) Effect { return favours(!a.IsValid(), !b.IsValid()) }

// higher is better if b is greater than a. Amounts that are not set are nothing.
func higher(a, b reflect.Value) Effect {
	if !a.IsValid() || !b.IsValid() {
		return EffectNeutral
	}
	switch a.Kind() {
	case reflect.Bool:
		return favours(b.Bool(), a.Bool())
	case reflect.Int, reflect.Int64:
		return effectOf(cmp.Compare(b.Int(), a.Int()))
	case reflect.Uint8, reflect.Uint64:
		return effectOf(cmp.Compare(b.Uint(), a.Uint()))
	default:
	}
	x, okX := reflect.TypeAssert[money.Amount](a)
	y, okY := reflect.TypeAssert[money.Amount](b)
	if !okX || !okY {
		return EffectNeutral
	}
	change, err := amountDifference(x, y)
	if err != nil {
		return EffectNeutral // of another currency
	}
	return effectOf(change.Difference.Sign())
}

// looser is better if the bound b is higher than a; nothing and 0 days are no
// bound.
func looser(a, b reflect.Value) Effect {
	bound := func(v reflect.Value) bool {
		if !v.IsValid() {
			return false
		}
		return v.Type() == reflect.TypeFor[money.Percent]() || v.Int() > 0 // a percentage of 0 bounds all
	}
	if bound(a) && bound(b) {
		return higher(a, b)
	}
	return favours(!bound(b), !bound(a))
}

// wider is better if a list of texts has all that it had, and more.
func wider(a, b reflect.Value) Effect {
	texts := func(list reflect.Value) (out []string) {
		for i := range list.Len() {
			out = append(out, list.Index(i).String())
		}
		return out
	}
	x, y := texts(a), texts(b)
	lacks := func(list, of []string) bool {
		return slices.ContainsFunc(of, func(text string) bool { return !slices.Contains(list, text) })
	}
	return favours(lacks(x, y), lacks(y, x))
}

// ranked compares by the place in an order from worst to best.
func ranked[T comparable](a, b reflect.Value, order []T) Effect {
	place := func(v reflect.Value) int {
		x, ok := reflect.TypeAssert[T](v)
		if !ok {
			return -1
		}
		return slices.Index(order, x)
	}
	if place(a) < 0 || place(b) < 0 {
		return EffectNeutral
	}
	return effectOf(cmp.Compare(place(b), place(a)))
}

// countsTime reports whether the value of an availability is a share of time.
func countsTime(availability reflect.Value) bool {
	a, ok := reflect.TypeAssert[Availability](availability)
	if !ok {
		return false
	}
	switch a.measure().(type) {
	case Uptime, BadSlots, AffectedRatio:
		return true
	}
	return false
}

// leavesWhole reports whether what is excluded leaves the whole as it is, so that
// less excluded means a lower value.
func leavesWhole(availability reflect.Value) bool {
	return countsTime(availability) && availability.FieldByName("ExcludeMode").Uint() == uint64(FromDowntime)
}

// servicesEffect judges a service that is added or dropped. A mean may rise or
// fall with it, and a first one ends that the outages of all count.
func servicesEffect(at place, a, b reflect.Value) Effect {
	for _, owner := range []reflect.Value{at.a, at.b} {
		if owner.FieldByName("Services").Len() == 0 || owner.FieldByName("Aggregate").Uint() > uint64(PerService) {
			return EffectNeutral
		}
	}
	return gained(a, b)
}

func claimEffect(at place, a, b reflect.Value) Effect {
	before, okBefore := reflect.TypeAssert[ClaimRule](at.a)
	after, okAfter := reflect.TypeAssert[ClaimRule](at.b)
	switch {
	case !okBefore || !okAfter:
		return EffectNeutral
	case before.Kind == after.Kind:
		return higher(a, b)
	case at.field == "ClaimRule.Kind" && after.Kind == ClaimAutomatic:
		return EffectBetter
	case at.field == "ClaimRule.Kind" && before.Kind == ClaimAutomatic:
		return EffectWorse
	}
	return EffectNeutral
}

func remedyEffect(a, b reflect.Value) Effect {
	if !a.IsValid() || !b.IsValid() {
		return gained(a, b)
	}
	before, okBefore := reflect.TypeAssert[Bands](a)
	after, okAfter := reflect.TypeAssert[Bands](b)
	if !okBefore || !okAfter {
		return EffectNeutral
	}
	return before.effect(after)
}

// effect compares what two sets of bands give for every value: their credits can
// only change at a bound, so the bounds and one value between each two decide.
func (b Bands) effect(after Bands) Effect {
	points := []int64{0, whole}
	days, percents := false, false
	for _, band := range slices.Concat(b.Bands, after.Bands) {
		points = append(points, int64(band.From), int64(band.Below))
		days, percents = days || band.Days > 0, percents || band.Credit > 0
	}
	if days && percents {
		return EffectNeutral
	}
	slices.Sort(points)
	points = slices.Compact(points)
	more, less := false, false
	for i, p := range points {
		for _, at := range []int64{2 * p, p + points[min(i+1, len(points)-1)]} {
			value, err := NewFraction(uint64(at), 2*whole)
			if err != nil {
				return EffectNeutral // a bound above 100 %
			}
			x, _ := b.Find(value)
			y, _ := after.Find(value)
			order := cmp.Or(cmp.Compare(y.Credit, x.Credit), cmp.Compare(y.Days, x.Days))
			more, less = more || order > 0, less || order < 0
		}
	}
	return favours(more, less)
}

// text is what a change shows: "10% from 98% to 99%, 25% from 0% to 98%".
func (b Bands) text() string {
	parts := make([]string, 0, len(b.Bands)+1)
	for _, band := range b.Bands {
		part := fmt.Sprintf("%s from %s to %s", band.credit(), band.From, band.Below)
		if band.NotAtFrom {
			part = strings.Replace(part, "from", "above", 1)
		}
		if band.AtBelow {
			part += " inclusive"
		}
		parts = append(parts, part)
	}
	if b.ExtendTop {
		parts = append(parts, "the first up to the target")
	}
	return strings.Join(parts, ", ")
}

// soonerEffect compares the times of two targets.
func soonerEffect(a, b reflect.Value) Effect {
	before, okBefore := reflect.TypeAssert[Target](a)
	after, okAfter := reflect.TypeAssert[Target](b)
	if !okBefore || !okAfter {
		return EffectNeutral
	}
	return favours(after.sooner(before), before.sooner(after))
}

// creditEffect compares a credit that is either an amount or a percentage. One
// in the place of the other cannot be compared.
func creditEffect(at place, a, b reflect.Value, amount, percent string) Effect {
	set := func(owner reflect.Value, field string) bool { return !owner.FieldByName(field).IsZero() }
	if set(at.a, amount) && set(at.b, percent) || set(at.a, percent) && set(at.b, amount) {
		return EffectNeutral
	}
	return higher(a, b)
}

func indicatorEffect(a, b reflect.Value) Effect {
	before, okBefore := reflect.TypeAssert[Indicator](a)
	after, okAfter := reflect.TypeAssert[Indicator](b)
	if !okBefore || !okAfter || before.KPI != after.KPI {
		return EffectNeutral
	}
	side := func(i Indicator) string {
		comparison, _, unit := i.Target.Parts()
		return strings.TrimSuffix(comparison, "=") + unit
	}
	x, _ := before.Target.Limit()
	y, _ := after.Target.Limit()
	if side(before) != side(after) || x == nil || y == nil {
		return EffectNeutral
	}
	order := y.Cmp(x)
	if order == 0 {
		return favours(after.Target.Strict(), before.Target.Strict())
	}
	if strings.HasPrefix(side(before), "<") {
		order = -order
	}
	return effectOf(order)
}

// hours compares two calendars of a name.
func (d contractDiff) hours(at place, a, b reflect.Value) Effect {
	name := strings.TrimPrefix(at.path, "calendars.")
	serves := func(t Term) bool { return t.Availability != nil && t.Availability.ServiceHours == name }
	if !a.IsValid() || !b.IsValid() || slices.ContainsFunc(d.before.Terms, serves) || slices.ContainsFunc(d.after.Terms, serves) {
		return EffectNeutral // of one that is added or dropped, what names it changes too
	}
	return d.named(name, name)
}

// named compares the working time of two calendars by their names.
func (d contractDiff) named(before, after string) Effect {
	x, okX := d.before.hoursOf(before)
	y, okY := d.after.hoursOf(after)
	if !okX || !okY {
		return EffectNeutral
	}
	less, more, ok := compareHours(x, y)
	if !ok {
		return EffectNeutral
	}
	return favours(more > 0, less > 0)
}

// hoursOf returns the hours of a name; "" is around the clock.
func (c Contract) hoursOf(name string) (calendar.Hours, bool) {
	if name == "" {
		return calendar.Hours{Zone: "UTC", Week: calendar.EveryDay("00:00", "24:00")}, true
	}
	h, ok := c.Calendars[name]
	return h, ok
}

// usualYear stands for any year where a contract names none. It is a leap year.
const usualYear = 2024

// compareHours returns how much working time only a has and only b has, over the
// years from the first to the last date that either of them names, at most
// fifty; without any, over 2024. ok is false for hours that cannot be compiled.
func compareHours(a, b calendar.Hours) (onlyA, onlyB time.Duration, ok bool) {
	x, errX := calendar.New(a)
	y, errY := calendar.New(b)
	if errX != nil || errY != nil {
		return 0, 0, false
	}
	const most = 50
	var years []int
	for _, h := range []calendar.Hours{a, b} {
		dates := slices.Clone(h.Holidays)
		for date := range h.Special {
			dates = append(dates, date)
		}
		for _, date := range dates {
			if day, err := time.Parse(time.DateOnly, date); err == nil {
				years = append(years, day.Year())
			}
		}
	}
	first, last := usualYear, usualYear
	if len(years) > 0 {
		first, last = slices.Min(years), slices.Max(years)
	}
	last = min(last, first+most)
	from, to := time.Date(first, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(last+1, 1, 1, 0, 0, 0, 0, time.UTC)
	openX, openY := x.Expand(from, to), y.Expand(from, to)
	return calendar.Total(calendar.Subtract(openX, openY)), calendar.Total(calendar.Subtract(openY, openX)), true
}
