package showback_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func TestChargeback(t *testing.T) {
	_, a := march(t)
	usage := []showback.Usage{{Metric: "seats", Centre: "b", Units: 1000}, {Metric: "seats", Centre: "b", Units: 250}, {Metric: "seats", Centre: "a", Units: 9}, {Metric: "noise", Centre: "b", Units: 1}}
	for _, c := range []struct {
		name   string
		entity showback.Entity
		want   []string // centre, item, cost, markup, net, tax, total
		sum    string   // net, tax, total
	}{
		// 60.00 + 5 % = 63.00, 19 % tax 11.97; 100.00 + 5 % = 105.00, tax 19.95
		{
			"markup and tax",
			showback.Entity{Centres: []string{"a"}, Markup: money.WholePercent(5), Tax: money.WholePercent(19)},
			[]string{"a backup 60.00 3.00 63.00 11.97 74.97", "a licences 100.00 5.00 105.00 19.95 124.95"},
			"168.00 31.92 199.92",
		},
		// 60.00 + 1.25 % = 60.75 in steps of 50 cents: 61.00 half up; 101.25: 101.50
		{
			"steps",
			showback.Entity{Centres: []string{"a"}, Markup: percent(t, "1.25%"), RoundTo: 50},
			[]string{"a backup 60.00 1.00 61.00 0.00 61.00", "a licences 100.00 1.50 101.50 0.00 101.50"},
			"162.50 0.00 162.50",
		},
		{
			"steps down",
			showback.Entity{Centres: []string{"a"}, Markup: percent(t, "1.25%"), RoundTo: 50, Rounding: money.Down},
			[]string{"a backup 60.00 0.50 60.50 0.00 60.50", "a licences 100.00 1.00 101.00 0.00 101.00"},
			"161.50 0.00 161.50",
		},
		// 1250 seats at 15.00 a hundred = 187.50, less than the 200.00 they cost
		{
			"agreed price",
			showback.Entity{Centres: []string{"b"}, Markup: money.WholePercent(50), RateCard: []showback.AgreedPrice{{Item: "licences", Metric: "seats", Price: amount("15 EUR"), Per: 100}}},
			[]string{"b licences 200.00 -12.50 187.50 0.00 187.50"},
			"187.50 0.00 187.50",
		},
		// 9 seats at 0.15 = 1.35 for an item that costs a nothing
		{
			"agreed price without cost",
			showback.Entity{Centres: []string{"a"}, RateCard: []showback.AgreedPrice{{Item: "new", Metric: "seats", Price: amount("0.15 EUR")}, {Item: "idle", Metric: "hours", Price: amount("1 EUR")}, {Item: "backup", Metric: "hours", Price: amount("1 EUR")}}},
			[]string{"a backup 60.00 -60.00 0.00 0.00 0.00", "a licences 100.00 0.00 100.00 0.00 100.00", "a new 0.00 1.35 1.35 0.00 1.35"},
			"101.35 0.00 101.35",
		},
		// 250.00 − 200.00 = 50.00, and 7 % tax on both
		{
			"minimum",
			showback.Entity{Centres: []string{"b"}, Tax: money.WholePercent(7), Minimum: amount("250 EUR")},
			[]string{"b licences 200.00 0.00 200.00 14.00 214.00", "  0.00 50.00 50.00 3.50 53.50"},
			"250.00 17.50 267.50",
		},
		{
			"minimum of an entity without cost",
			showback.Entity{Centres: []string{"c"}, Minimum: amount("10 EUR")},
			[]string{"  0.00 10.00 10.00 0.00 10.00"},
			"10.00 0.00 10.00",
		},
	} {
		c.entity.ID = "gmbh"
		charges, err := showback.Chargeback(a, month(t, "2026-03"), []showback.Entity{c.entity}, usage)
		if err != nil || len(charges.Invoices) != 1 {
			t.Errorf("%s: %+v, %v, want one invoice", c.name, charges, err)
			continue
		}
		inv := charges.Invoices[0]
		var got []string
		for _, l := range inv.Lines {
			got = append(got, l.Centre+" "+l.Item+" "+textOf(l.Cost, l.Markup, l.Net, l.Tax, l.Total))
		}
		if sum := textOf(inv.Net, inv.Tax, inv.Total); !slices.Equal(got, c.want) || sum != c.sum || inv.Due != inv.Total {
			t.Errorf("%s: lines %q, sum %s, due %v, want %q, %s", c.name, got, sum, inv.Due, c.want, c.sum)
		}
		if inv.Key != "chargeback/gmbh/2026-03/0" || inv.State != showback.Draft {
			t.Errorf("%s: key %q, state %q", c.name, inv.Key, inv.State)
		}
	}
	steps := showback.Entity{ID: "gmbh", Centres: []string{"b"}, Markup: percent(t, "1.2%"), Tax: money.WholePercent(19), RoundTo: 50, Rounding: money.Down}
	charges, err := showback.Chargeback(a, month(t, "2026-03"), []showback.Entity{steps}, nil)
	if err != nil || charges.Invoices[0].Lines[0].Formula != "200.00 EUR + 1.2% = 202.00 EUR (down to steps of 0.50 EUR); tax 19%: 38.38 EUR" {
		t.Errorf("formula %+v, %v", charges, err)
	}
	// Who is charged nothing is named.
	charges, err = showback.Chargeback(a, month(t, "2026-03"), []showback.Entity{{ID: "gmbh", Centres: []string{"b", "c"}}, {ID: "empty"}}, nil)
	want := []showback.CentreTotal{{Centre: "a", Amount: amount("160 EUR")}, {Centre: "", Amount: amount("5 EUR")}}
	if err != nil || !slices.Equal(charges.Uncharged, want) || len(charges.Invoices) != 1 {
		t.Errorf("Chargeback = %+v, %v, want one invoice and uncharged %v", charges, err, want)
	}
}

func TestChargebackErrors(t *testing.T) {
	_, a := march(t)
	march := month(t, "2026-03")
	for path, e := range map[string]showback.Entity{
		"entities[0].id":                 {},
		"entities[0].centres[1]":         {ID: "x", Centres: []string{"a", "a"}},
		"entities[0].markup and tax":     {ID: "x", Tax: -1},
		"entities[0].minimum":            {ID: "x", Minimum: amount("1 USD")},
		"entities[0].round_to":           {ID: "x", RoundTo: -1},
		"entities[0].rounding":           {ID: "x", Rounding: 9},
		"entities[0].rate_card[0]":       {ID: "x", RateCard: []showback.AgreedPrice{{Item: "i", Price: amount("1 EUR")}}},
		"entities[0].rate_card[0].price": {ID: "x", RateCard: []showback.AgreedPrice{{Item: "i", Metric: "m", Price: amount("1 USD")}}},
		"entities[0].rate_card[0].per":   {ID: "x", RateCard: []showback.AgreedPrice{{Item: "i", Metric: "m", Price: amount("1 EUR"), Per: -1}}},
	} {
		_, err := showback.Chargeback(a, march, []showback.Entity{e}, nil)
		wantField(t, "Chargeback", err, path)
	}
	_, err := showback.Chargeback(a, showback.Month{}, nil, nil)
	wantField(t, "Chargeback of no month", err, "month")
	_, err = showback.Chargeback(a, march, nil, []showback.Usage{{Units: -1}})
	if !errors.Is(err, showback.ErrNegativeUsage) {
		t.Errorf("negative usage: %v, want %v", err, showback.ErrNegativeUsage)
	}
}

// gmbh is an invoice over 168.00 of a, or what is left if the backup costs less.
func gmbh(t *testing.T, backup string) showback.Invoice {
	t.Helper()
	costs := []showback.Cost{{Item: "licences", Pool: "p", Amount: amount("100 EUR")}}
	if backup != "" {
		costs = append(costs, showback.Cost{Item: "backup", Pool: "p", Amount: amount(backup)})
	}
	a, err := showback.Allocate(costs, nil, []showback.Key{{Pool: "p", Method: showback.Equal, Targets: []showback.Target{{ID: "a"}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	charges, err := showback.Chargeback(a, month(t, "2026-03"), []showback.Entity{{ID: "gm/bh", Centres: []string{"a"}, Markup: money.WholePercent(5), Tax: money.WholePercent(19)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return charges.Invoices[0]
}

func TestInvoiceStates(t *testing.T) {
	draft, at := gmbh(t, "60 EUR"), instant(t, "2026-04-02")
	wantState := func(what string, err error, state showback.State) {
		t.Helper()
		if e, ok := errors.AsType[*showback.StateError](err); !ok || e.State != state {
			t.Errorf("%s: %v, want a state error in %q", what, err, state)
		}
	}
	_, err := draft.Post("ada", at)
	wantState("post a draft", err, showback.Draft)
	_, err = draft.Revise(draft)
	wantState("revise a draft", err, showback.Draft)
	_, err = draft.Approve("", at)
	wantField(t, "approve by nobody", err, "by")

	disputed, err := draft.Dispute("bob", "we have no backup", at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = disputed.Approve("ada", at); !errors.Is(err, showback.ErrDisputed) {
		t.Errorf("approve in dispute: %v, want %v", err, showback.ErrDisputed)
	}
	if _, err = disputed.Dispute("bob", "again", at); !errors.Is(err, showback.ErrDisputed) {
		t.Errorf("dispute in dispute: %v, want %v", err, showback.ErrDisputed)
	}
	_, err = disputed.Settle("sorry", at.Add(-1))
	wantField(t, "settle before", err, "settled")
	settled, err := disputed.Settle("there is one", at)
	if err != nil || settled.Disputed() || !disputed.Disputed() || draft.Disputed() {
		t.Errorf("settle: %+v, %v; want the others untouched", settled.Disputes, err)
	}
	_, err = settled.Settle("again", at)
	wantField(t, "settle nothing", err, "disputes")
	_, err = settled.Dispute("bob", "", at)
	wantField(t, "dispute nothing", err, "note")

	approved, err := settled.Approve("ada", at)
	if err != nil {
		t.Fatal(err)
	}
	_, err = approved.Approve("ada", at)
	wantState("approve twice", err, showback.Approved)
	posted, err := approved.Post("eve", at.AddDate(0, 0, 1))
	if err != nil || posted.State != showback.Posted || len(posted.Steps) != 2 || posted.Steps[1].By != "eve" || len(approved.Steps) != 1 {
		t.Errorf("post: %+v, %v", posted, err)
	}
	if draft.State != showback.Draft || len(draft.Steps) != 0 {
		t.Errorf("the draft has changed: %+v", draft)
	}

	wrong := draft
	wrong.Total = amount("1 EUR")
	_, err = wrong.Approve("ada", at)
	wantField(t, "approve what does not add up", err, "total")
	wrong = draft
	wrong.Lines = slices.Clone(draft.Lines)
	wrong.Lines[1].Total = amount("1 EUR")
	wantField(t, "check a line that does not add up", wrong.Check(), "lines[1].total")
	wrong = draft
	wrong.Due = amount("1 EUR")
	wantField(t, "check what is due", wrong.Check(), "due")

	text, err := json.Marshal(posted)
	var back showback.Invoice
	if err != nil || json.Unmarshal(text, &back) != nil || !reflect.DeepEqual(back, posted) {
		t.Errorf("through JSON: %+v, want %+v (%v)", back, posted, err)
	}
}

// 60.00 + 5 % = 63.00, with 19 % tax 74.97. At 40.00: 42.00, 7.98, 49.98; at nothing: 0.
func TestRevise(t *testing.T) {
	at := instant(t, "2026-04-02")
	post := func(inv showback.Invoice) showback.Invoice {
		t.Helper()
		inv, err := inv.Approve("ada", at)
		if err == nil {
			inv, err = inv.Post("ada", at)
		}
		if err != nil {
			t.Fatal(err)
		}
		return inv
	}
	first := post(gmbh(t, "60 EUR"))
	if _, err := first.Revise(gmbh(t, "60 EUR")); !errors.Is(err, showback.ErrUnchanged) {
		t.Errorf("the same again: %v, want %v", err, showback.ErrUnchanged)
	}
	other := gmbh(t, "60 EUR")
	other.Entity = "other"
	_, err := first.Revise(other)
	wantField(t, "revise by another entity", err, "fresh")

	booked := first.Due.Minor()
	if first.Key != "chargeback/gm%2Fbh/2026-03/0" || len(first.Postings()) != 2 {
		t.Errorf("first: key %q, %d postings, want chargeback/gm%%2Fbh/2026-03/0 and 2", first.Key, len(first.Postings()))
	}
	last := first
	for i, c := range []struct{ backup, due, line, key string }{
		{"40 EUR", "-24.99", "-20.00 -1.00 -21.00 -3.99 -24.99", "chargeback/gm%2Fbh/2026-03/1"},
		{"", "-49.98", "-40.00 -2.00 -42.00 -7.98 -49.98", "chargeback/gm%2Fbh/2026-03/2"},
		{"60 EUR", "74.97", "60.00 3.00 63.00 11.97 74.97", "chargeback/gm%2Fbh/2026-03/3"},
	} {
		revision, err := last.Revise(gmbh(t, c.backup))
		if err != nil || len(revision.Differences) != 1 || len(revision.Postings()) != 1 {
			t.Fatalf("revision %d: %+v, %v, want one difference", i+1, revision.Differences, err)
		}
		l := revision.Differences[0]
		if got := textOf(l.Cost, l.Markup, l.Net, l.Tax, l.Total); got != c.line || l.Item != "backup" || revision.Due.Decimal() != c.due || revision.Key != c.key || revision.Revision != i+1 {
			t.Errorf("revision %d: line %q %s, due %v, key %q, want backup %s, %s, %s", i+1, l.Item, got, revision.Due, revision.Key, c.line, c.due, c.key)
		}
		last = post(revision)
		if booked += last.Due.Minor(); booked != last.Total.Minor() {
			t.Errorf("revision %d: %d booked in all, want the total %v", i+1, booked, last.Total)
		}
	}
	nothing, err := last.Revise(showback.Invoice{Entity: last.Entity, Month: last.Month, State: showback.Draft})
	if err != nil || nothing.Due.Minor() != -last.Total.Minor() || nothing.Check() != nil {
		t.Errorf("revision to nothing: due %v, %v, %v, want the opposite of %v", nothing.Due, err, nothing.Check(), last.Total)
	}
}

// Lines add up to the totals, whatever is rounded, and costs to those of the allocation.
func TestLawInvoices(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 200 {
		b := draw(r)
		a, err := showback.Allocate(b.costs, b.usage, b.keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		entities := []showback.Entity{{ID: "x"}, {ID: "y"}}
		for i := range entities {
			e := &entities[i]
			e.Markup, e.Tax = money.Percent(r.Int64N(300_000_000)), money.Percent(r.Int64N(300_000_000))
			e.Rounding, e.RoundTo = money.Rounding(r.IntN(4)), r.Int64N(6)
			if r.IntN(2) == 0 {
				e.Minimum = eur(r.Int64N(1_000_000))
			}
		}
		for _, c := range a.Centres {
			if n := r.IntN(3); n < 2 {
				entities[n].Centres = append(entities[n].Centres, c.Centre)
			}
		}
		charges, err := showback.Chargeback(a, month(t, "2026-03"), entities, nil)
		if err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		for _, c := range charges.Uncharged {
			sum += c.Amount.Minor()
		}
		for _, inv := range charges.Invoices {
			if err := inv.Check(); err != nil {
				t.Fatal(err)
			}
			total := int64(0)
			for _, l := range inv.Lines {
				sum += l.Cost.Minor()
				total += l.Net.Minor() + l.Tax.Minor()
				if l.Cost.Minor()+l.Markup.Minor() != l.Net.Minor() {
					t.Fatalf("line %+v does not add up", l)
				}
			}
			if total != inv.Total.Minor() {
				t.Fatalf("invoice %q: lines add up to %d, want %v", inv.Key, total, inv.Total)
			}
		}
		if sum != a.Total.Minor() {
			t.Fatalf("charged and uncharged costs are %d, want %v", sum, a.Total)
		}
	}
}
