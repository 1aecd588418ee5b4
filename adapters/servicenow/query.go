package servicenow

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Operator compares a column with values, in the words of sysparm_query.
type Operator string

// The operators. Empty and NotEmpty take no value, OneOf at least one, the others
// one. Instances may compare texts without regard to case; compare what comes
// back where that matters.
const (
	Equal          Operator = "="
	NotEqual       Operator = "!="
	Greater        Operator = ">"
	GreaterOrEqual Operator = ">="
	Less           Operator = "<"
	LessOrEqual    Operator = "<="
	Contains       Operator = "LIKE"
	StartsWith     Operator = "STARTSWITH"
	EndsWith       Operator = "ENDSWITH"
	OneOf          Operator = "IN"
	Empty          Operator = "ISEMPTY"
	NotEmpty       Operator = "ISNOTEMPTY"
)

// arity is how many values an operator takes; -1 is one or more.
var arity = map[Operator]int{
	Equal: 1, NotEqual: 1, Greater: 1, GreaterOrEqual: 1, Less: 1, LessOrEqual: 1,
	Contains: 1, StartsWith: 1, EndsWith: 1, OneOf: -1, Empty: 0, NotEmpty: 0,
}

// foreign are operators that this package does not write and that an instance
// would read where one of ours is followed by an unlucky value: "aINSTANCEOFb" is
// not the list "STANCEOFb".
// https://www.servicenow.com/docs/bundle/zurich-platform-user-interface/page/use/common-ui-elements/reference/r_OpAvailableFiltersQueries.html
var foreign = []string{"INSTANCEOF"}

// Condition compares one column. The column may be dot-walked over references:
// "assignment_group.name".
type Condition struct {
	Column   string
	Operator Operator
	Values   []string
}

// Clause holds if any of its conditions does.
type Clause []Condition

// Query is what is asked of a table: the union of alternatives, each of which
// holds if all its clauses do. The zero value is everything, in any order. A
// Query is data; what an instance would ignore or read otherwise is refused by
// [Query.Encode]. Its methods return a new query and leave the old one as it is.
type Query struct {
	Alternatives [][]Clause
	Order        []Order
}

// Order sorts by a column, after the orders before it.
type Order struct {
	Column     string
	Descending bool
}

// Where begins a query.
func Where(column string, op Operator, values ...string) Query {
	return Query{}.And(column, op, values...)
}

// And adds a clause of one condition to each alternative.
func (q Query) And(column string, op Operator, values ...string) Query {
	clause := Clause{{column, op, slices.Clone(values)}}
	if len(q.Alternatives) == 0 {
		return Query{Alternatives: [][]Clause{{clause}}, Order: slices.Clone(q.Order)}
	}
	out := q.clone()
	for i := range out.Alternatives {
		out.Alternatives[i] = append(out.Alternatives[i], clause)
	}
	return out
}

// Or adds a condition to the last clause of each alternative: a.And(b).Or(c) is a
// and (b or c), as ^OR binds to its neighbour only. On the zero value it is And.
func (q Query) Or(column string, op Operator, values ...string) Query {
	if len(q.Alternatives) == 0 {
		return q.And(column, op, values...)
	}
	out := q.clone()
	for _, clauses := range out.Alternatives {
		last := len(clauses) - 1
		clauses[last] = append(slices.Clone(clauses[last]), Condition{column, op, slices.Clone(values)})
	}
	return out
}

// Union is what either query finds, in the order of q. The union with everything
// is everything.
func (q Query) Union(o Query) Query {
	if len(q.Alternatives) == 0 || len(o.Alternatives) == 0 {
		return Query{Order: slices.Clone(q.Order)}
	}
	out := q.clone()
	out.Alternatives = append(out.Alternatives, o.clone().Alternatives...)
	return out
}

// OrderBy sorts by columns, ascending, after the orders before them.
func (q Query) OrderBy(columns ...string) Query {
	out := q.clone()
	for _, column := range columns {
		out.Order = append(out.Order, Order{Column: column})
	}
	return out
}

func (q Query) clone() Query {
	out := Query{Order: slices.Clone(q.Order)}
	for _, clauses := range q.Alternatives {
		out.Alternatives = append(out.Alternatives, slices.Clone(clauses))
	}
	return out
}

// QueryError says which part of a query an instance would ignore or misread.
type QueryError struct {
	Column   string
	Operator Operator
	Problem  string // with what was expected
}

// Error says where and what.
func (e *QueryError) Error() string {
	return fmt.Sprintf("servicenow: query on %q %s: %s", e.Column, e.Operator, e.Problem)
}

// Encode writes the query as sysparm_query, not yet escaped for a URL. An instance
// leaves out a part that it does not understand and runs the rest, which finds the
// records of everybody; so whatever is doubtful is a [*QueryError]: columns with
// characters beyond a-z, 0-9, _ and dots between, unknown operators, empty values,
// CR or LF, and values that begin with "javascript:", which run on the server.
// Whether a column exists is known to the instance alone; see [Client.Verify].
func (q Query) Encode() (string, error) {
	var b strings.Builder
	for i, clauses := range q.Alternatives {
		if i > 0 {
			b.WriteString("^NQ")
		}
		if len(clauses) == 0 {
			return "", &QueryError{Problem: "alternative without a clause, want one"}
		}
		for j, clause := range clauses {
			if len(clause) == 0 {
				return "", &QueryError{Problem: "clause without a condition, want one"}
			}
			for k, condition := range clause {
				switch {
				case k > 0:
					b.WriteString("^OR")
				case j > 0:
					b.WriteString("^")
				}
				if err := condition.encode(&b); err != nil {
					return "", err
				}
			}
		}
	}
	for _, order := range q.Order {
		if !isColumn(order.Column) {
			return "", &QueryError{Column: order.Column, Problem: "not a column to sort by, want a-z, 0-9, _ and dots between"}
		}
		if b.Len() > 0 {
			b.WriteString("^")
		}
		b.WriteString("ORDERBY")
		if order.Descending {
			b.WriteString("DESC")
		}
		b.WriteString(order.Column)
	}
	return b.String(), nil
}

// String returns the encoded query, or what is wrong with it.
func (q Query) String() string {
	text, err := q.Encode()
	if err != nil {
		return err.Error()
	}
	return text
}

func (c Condition) encode(b *strings.Builder) error {
	problem := func(format string, args ...any) error {
		return &QueryError{Column: c.Column, Operator: c.Operator, Problem: fmt.Sprintf(format, args...)}
	}
	if !isColumn(c.Column) {
		return problem("not a column, want a-z, 0-9, _ and dots between")
	}
	want, known := arity[c.Operator]
	switch {
	case !known:
		return problem("unknown operator")
	case want >= 0 && len(c.Values) != want:
		return problem("%d values, want %d", len(c.Values), want)
	case want < 0 && len(c.Values) == 0:
		return problem("no value, want one at least")
	}
	for _, value := range c.Values {
		switch {
		case value == "":
			return problem("empty value, want %s or %s to ask for that", Empty, NotEmpty)
		case strings.ContainsAny(value, "\r\n"):
			return problem("value with a line break")
		case runsScript(value):
			return problem("value that begins with javascript:, which the instance would run")
		case strings.HasPrefix(value, " ") || strings.HasSuffix(value, " "):
			return problem("value with a blank at an end, which is not compared")
		case c.Operator == OneOf && strings.Contains(value, ","):
			return problem("value with a comma, which would be two")
		}
	}
	text := string(c.Operator) + strings.Join(c.Values, ",")
	if longer := longest(text); longer != string(c.Operator) {
		return problem("value that would be read as the operator %s", longer)
	}
	b.WriteString(c.Column)
	b.WriteString(string(c.Operator))
	b.WriteString(strings.ReplaceAll(strings.Join(c.Values, ","), "^", "^^"))
	return nil
}

// longest is the operator that a reader would find at the beginning of a text.
func longest(text string) string {
	found := ""
	for op := range arity {
		if strings.HasPrefix(text, string(op)) && len(op) > len(found) {
			found = string(op)
		}
	}
	for _, op := range foreign {
		if strings.HasPrefix(text, op) && len(op) > len(found) {
			found = op
		}
	}
	return found
}

const script = "javascript:"

func runsScript(value string) bool {
	value = strings.TrimSpace(value)
	return len(value) >= len(script) && strings.EqualFold(value[:len(script)], script)
}

// isColumn reports whether a text can name a column, dot-walked or not: parts of
// a-z, 0-9 and _, with single dots between.
func isColumn(text string) bool {
	for part := range strings.SplitSeq(text, ".") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return false
		}
	}
	return true
}

// Split returns queries that together find what q does, each of which is at most
// max bytes long in a URL, by dividing lists of [OneOf]. They find no record twice,
// unless the list has a value twice. It is a [*QueryError] if there is nothing to
// divide or more than one alternative.
func (q Query) Split(most int) ([]Query, error) {
	text, err := q.Encode()
	if err != nil {
		return nil, err
	}
	if len(url.QueryEscape(text)) <= most {
		return []Query{q}, nil
	}
	clause, size := -1, 1
	if len(q.Alternatives) == 1 {
		for i, c := range q.Alternatives[0] {
			if len(c) == 1 && c[0].Operator == OneOf && len(c[0].Values) > size {
				clause, size = i, len(c[0].Values)
			}
		}
	}
	if clause < 0 {
		return nil, &QueryError{Problem: fmt.Sprintf("longer than %d bytes, with no list to divide", most)}
	}
	var out []Query
	list := q.Alternatives[0][clause][0]
	for _, half := range [][]string{list.Values[:size/2], list.Values[size/2:]} {
		part := q.clone()
		part.Alternatives[0][clause] = Clause{{list.Column, OneOf, half}}
		parts, err := part.Split(most)
		if err != nil {
			return nil, err
		}
		out = append(out, parts...)
	}
	return out, nil
}
