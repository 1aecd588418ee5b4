package correlation

import (
	"fmt"
	"strconv"
	"strings"
)

// Logic is the parsed text of a rule. It can be built in Go and printed with
// [Logic.String] to become the Logic of a [Rule].
type Logic struct {
	If        []Condition
	Suppress  []Selector
	Composite string // title of the composite, empty if none is created
}

// Condition holds while at least Count alerts match its selector, or, with
// Not, while fewer do.
type Condition struct {
	Selector
	Not   bool
	Count int // 0 as written without COUNT, which means 1
}

// Selector names alerts by a pattern and predicates.
type Selector struct {
	Pattern string // layer.name; * stands for any text within a part
	As      string // variable bound to the matching alerts, conditions only
	Where   []Predicate
}

// Predicate restricts a selector by a label or by a distance.
type Predicate struct {
	Label string
	Op    PredicateOp
	Value string // text to compare with; empty if Var is set
	// Var and VarLabel compare with a label of the alerts bound to a variable;
	// for Near, Var is the variable and VarLabel is empty.
	Var, VarLabel string
	Hops          int // for Near: the largest distance
}

// PredicateOp is the operator of a predicate. The zero value means "not set".
type PredicateOp uint8

// The operators. Regular expressions are RE2 and match the whole value.
const (
	Equals    PredicateOp = iota + 1 // =
	Differs                          // !=
	Matches                          // =~
	MatchesNo                        // !~
	Near                             // near(variable, hops)
)

var predicateOps = [...]string{Equals: "=", Differs: "!=", Matches: "=~", MatchesNo: "!~", Near: "near"}

// String returns the operator as written.
func (o PredicateOp) String() string {
	if o == 0 || int(o) >= len(predicateOps) {
		return fmt.Sprintf("PredicateOp(%d)", uint8(o))
	}
	return predicateOps[o]
}

// String returns the canonical text of the logic on one line; [Parse] of it
// gives the same logic again, unless a value or the title has a line break or is not
// UTF-8, which the language cannot say.
func (l Logic) String() string {
	var b strings.Builder
	b.WriteString("IF ")
	for i, c := range l.If {
		if i > 0 {
			b.WriteString(" AND ")
		}
		if c.Not {
			b.WriteString("NOT ")
		}
		if c.Count > 0 {
			b.WriteString("COUNT(")
		}
		c.write(&b)
		if c.Count > 0 {
			b.WriteString(") >= ")
			b.WriteString(strconv.Itoa(c.Count))
		}
	}
	b.WriteString(" THEN")
	for i, s := range l.Suppress {
		if i == 0 {
			b.WriteString(" suppress ")
		} else {
			b.WriteString(" AND ")
		}
		s.write(&b)
	}
	if l.Composite != "" {
		b.WriteString(" CREATE composite_alert: ")
		writeQuoted(&b, l.Composite)
	}
	return b.String()
}

// write appends the selector as [Logic.String] has it.
func (s Selector) write(b *strings.Builder) {
	b.WriteString(s.Pattern)
	if s.As != "" {
		b.WriteString(" AS ")
		b.WriteString(s.As)
	}
	for i, p := range s.Where {
		if i == 0 {
			b.WriteString(" WHERE ")
		} else {
			b.WriteString(", ")
		}
		p.write(b)
	}
}

// write appends the predicate as [Logic.String] has it.
func (p Predicate) write(b *strings.Builder) {
	if p.Op == Near {
		fmt.Fprintf(b, "near(%s, %d)", p.Var, p.Hops)
		return
	}
	b.WriteString(p.Label)
	b.WriteString(p.Op.String())
	if p.Var != "" {
		b.WriteString(p.Var)
		b.WriteByte('.')
		b.WriteString(p.VarLabel)
		return
	}
	writeQuoted(b, p.Value)
}

// writeQuoted writes s as the rule language reads it: only \ and " are escaped.
func writeQuoted(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
}
