package servicenow

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
)

func TestQueryEncodes(t *testing.T) {
	for _, c := range []struct {
		name  string
		query Query
		want  string
	}{
		{"everything", Query{}, ""},
		{"equal", Where("number", Equal, "INC0010001"), "number=INC0010001"},
		{"caret", Where("short_description", Equal, "a^b"), "short_description=a^^b"},
		{"caret before or", Where("short_description", Equal, "a^ORstate=1"), "short_description=a^^ORstate=1"},
		{"and", Where("state", Equal, "1").And("impact", Less, "3"), "state=1^impact<3"},
		{"or binds to its neighbour", Where("a", Equal, "1").And("b", Equal, "2").Or("b", Empty), "a=1^b=2^ORbISEMPTY"},
		{"union", Where("a", Equal, "1").Union(Where("b", NotEmpty)), "a=1^NQbISNOTEMPTY"},
		{"list", Where("state", OneOf, "1", "2"), "stateIN1,2"},
		{"dots", Where("assignment_group.name", StartsWith, "Ops"), "assignment_group.nameSTARTSWITHOps"},
		{"order", Where("a", Greater, "1").OrderBy("sys_updated_on", "sys_id"), "a>1^ORDERBYsys_updated_on^ORDERBYsys_id"},
		{"order alone", Query{Order: []Order{{"number", true}}}, "ORDERBYDESCnumber"},
		{"javascript inside", Where("a", Equal, "no javascript: here"), "a=no javascript: here"},
	} {
		got, err := c.query.Encode()
		if err != nil || got != c.want {
			t.Errorf("%s: Encode() = %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestQueryRefuses(t *testing.T) {
	for name, q := range map[string]Query{
		"capital":            Where("Number", Equal, "1"),
		"no column":          Where("", Equal, "1"),
		"operator in column": Where("a=1^b", Equal, "1"),
		"dots":               Where("a..b", Equal, "1"),
		"dot at the end":     Where("a.", Equal, "1"),
		"blank":              Where("a b", Equal, "1"),
		"operator":           Where("a", "SAMEAS", "1"),
		"empty":              Where("a", Equal, ""),
		"none":               Where("a", Equal),
		"two":                Where("a", Equal, "1", "2"),
		"empty with a value": Where("a", Empty, "1"),
		"line feed":          Where("a", Equal, "1\n2"),
		"carriage return":    Where("a", Contains, "1\r2"),
		"javascript":         Where("a", Equal, "javascript:gs.getUserID()"),
		"JavaScript":         Where("a", Equal, " JavaScript:gs.getUserID()"),
		"javascript in list": Where("a", OneOf, "1", "javascript:gs.getUserID()"),
		"comma in list":      Where("a", OneOf, "1,2"),
		"empty list":         Where("a", OneOf),
		">=":                 Where("a", Greater, "=1"),
		"INSTANCEOF":         Where("a", OneOf, "STANCEOFtask"),
		"blank before":       Where("a", Equal, " x"),
		"order":              Query{}.OrderBy("a^b"),
		"no clause":          {Alternatives: [][]Clause{{}}},
		"no condition":       {Alternatives: [][]Clause{{{}}}},
	} {
		text, err := q.Encode()
		if _, ok := errors.AsType[*QueryError](err); !ok {
			t.Errorf("%s: Encode() = %q, %v, want a QueryError", name, text, err)
		}
	}
}

func TestQueryMethodsLeaveTheOldOne(t *testing.T) {
	q := Where("a", Equal, "1").And("b", Equal, "2")
	before := q.String()
	_ = q.Or("c", Equal, "3")
	_ = q.And("d", Equal, "4")
	_ = q.OrderBy("e")
	_ = q.Union(q)
	if got := q.String(); got != before {
		t.Errorf("query is now %q, was %q", got, before)
	}
}

func TestQuerySplit(t *testing.T) {
	var keys []string
	for i := range 500 {
		keys = append(keys, strings.Repeat("k", 60)+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	q := Where("correlation_id", OneOf, keys...).And("active", Equal, "true")
	parts, err := q.Split(2048)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, part := range parts {
		text, err := part.Encode()
		if err != nil || len(url.QueryEscape(text)) > 2048 {
			t.Fatalf("part of %d bytes, %v", len(url.QueryEscape(text)), err)
		}
		if !strings.HasSuffix(text, "^active=true") {
			t.Fatalf("part %q lost a clause", text)
		}
		got = append(got, part.Alternatives[0][0][0].Values...)
	}
	if !slices.Equal(got, keys) {
		t.Errorf("parts hold %d values, want the %d in their order", len(got), len(keys))
	}
	if _, err := Where("a", Equal, strings.Repeat("x", 3000)).Split(2048); err == nil {
		t.Error("one long value was split")
	}
	if _, err := q.Union(q).Split(2048); err == nil {
		t.Error("a union was split, want an error: its parts might find a record twice")
	}
}

// What is encoded is what an instance reads, and nothing is ignored.
func FuzzQuery(f *testing.F) {
	f.Add("number", "=", "INC1", "state", ">", "2", "short_description")
	f.Add("short_description", "LIKE", "a^b^^ORc=1^NQ", "state", "IN", "1", "sys_id")
	f.Add("description", ">", "=x", "assignment_group.name", "!=", "^", "assigned_to.email")
	f.Add("description", "IN", "STANCEOFx", "number", "STARTSWITH", "javascript:1", "number")
	f.Add("description", "ISEMPTY", "", "number", "ISNOTEMPTY", "", "number")
	fake := adaptertest.NewServiceNow(adaptertest.ServiceNowOptions{})
	known := func(q Query) bool {
		return slices.Contains([]string{"number", "state", "short_description", "description", "assignment_group.name", "assigned_to.email", "sys_id"}, q.Order[0].Column)
	}
	f.Fuzz(func(t *testing.T, column1, op1, value1, column2, op2, value2, order string) {
		condition := func(column, op, value string) Condition {
			c := Condition{column, Operator(op), []string{value}}
			if arity[c.Operator] == 0 {
				c.Values = nil
			}
			return c
		}
		a, b := condition(column1, op1, value1), condition(column2, op2, value2)
		for shape, q := range []Query{
			{Alternatives: [][]Clause{{{a}, {b}}}},
			{Alternatives: [][]Clause{{{a, b}}}},
			{Alternatives: [][]Clause{{{a}}, {{b}}}},
		} {
			q.Order = []Order{{Column: order, Descending: shape == 1}}
			text, err := q.Encode()
			if err != nil {
				if _, ok := errors.AsType[*QueryError](err); !ok {
					t.Fatalf("error %T", err)
				}
				continue
			}
			if strings.ContainsAny(text, "\r\n") {
				t.Fatalf("line break in %q", text)
			}
			scripts := len(fake.Scripts())
			alternatives, orders, ignored := fake.ReadQuery("incident", text)
			if len(fake.Scripts()) != scripts {
				t.Fatalf("%q runs a script", text)
			}
			if ignored {
				// Only columns that are not there; their forms are all that is checked.
				for _, c := range []Condition{a, b} {
					if _, _, bad := fake.ReadQuery("incident", c.Column+"ISEMPTY"); bad {
						return
					}
				}
				if known(q) {
					t.Fatalf("%q: a part was ignored", text)
				}
				return
			}
			var got [][]Clause
			for _, clauses := range alternatives {
				var out []Clause
				for _, clause := range clauses {
					var conditions Clause
					for _, c := range clause {
						read := Condition{Column: c.Column, Operator: Operator(c.Operator)}
						if arity[read.Operator] != 0 {
							read.Values = []string{c.Value}
						}
						conditions = append(conditions, read)
					}
					out = append(out, conditions)
				}
				got = append(got, out)
			}
			back := Query{Alternatives: got, Order: []Order{{strings.TrimPrefix(orders[0], "-"), strings.HasPrefix(orders[0], "-")}}}
			if len(orders) != 1 || back.String() != text || !sameQuery(back, q) {
				t.Fatalf("%q was read as %+v, want %+v", text, back, q)
			}
		}
	})
}

func sameQuery(a, b Query) bool {
	return slices.EqualFunc(a.Alternatives, b.Alternatives, func(x, y []Clause) bool {
		return slices.EqualFunc(x, y, func(x, y Clause) bool {
			return slices.EqualFunc(x, y, func(x, y Condition) bool {
				return x.Column == y.Column && x.Operator == y.Operator && strings.Join(x.Values, ",") == strings.Join(y.Values, ",")
			})
		})
	}) && slices.Equal(a.Order, b.Order)
}
