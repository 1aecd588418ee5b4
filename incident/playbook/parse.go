package playbook

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// parser reads one condition by recursive descent.
type parser struct {
	text       string
	pos        int
	vocabulary *Vocabulary
	cond       *Condition
}

// maxDepth bounds the nesting of a condition, and so the stack.
const maxDepth = 100

func (p *parser) fail(pos int, want string) error {
	return &ConditionError{Text: p.text, Column: utf8.RuneCountInString(p.text[:pos]) + 1, Want: want}
}

func (p *parser) done() bool {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
	return p.pos == len(p.text)
}

// keyword consumes a word of the language if it comes next.
func (p *parser) keyword(word string) bool {
	if p.done() || !strings.EqualFold(p.peekName(), word) {
		return false
	}
	p.pos += len(word)
	return true
}

func (p *parser) peekName() string {
	end := p.pos
	for end < len(p.text) && isNameByte(p.text[end]) {
		end++
	}
	return p.text[p.pos:end]
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
}

func isName(s string) bool {
	if s == "" || s[0] >= '0' && s[0] <= '9' || s[0] == '.' || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return true
}

func isKeyword(s string) bool {
	return slices.ContainsFunc([]string{"and", "or", "not", "in", "for", "of"}, func(k string) bool { return strings.EqualFold(k, s) })
}

func (p *parser) or(depth int) (*node, error) {
	left, err := p.and(depth)
	for err == nil && p.keyword("or") {
		var right *node
		right, err = p.and(depth)
		left = &node{kind: orNode, left: left, right: right}
	}
	return left, err
}

func (p *parser) and(depth int) (*node, error) {
	left, err := p.not(depth)
	for err == nil && p.keyword("and") {
		var right *node
		right, err = p.not(depth)
		left = &node{kind: andNode, left: left, right: right}
	}
	return left, err
}

func (p *parser) not(depth int) (*node, error) {
	switch {
	case depth > maxDepth:
		return nil, p.fail(p.pos, fmt.Sprintf("at most %d brackets and NOTs inside each other", maxDepth))
	case p.keyword("not"):
		inner, err := p.not(depth + 1)
		return &node{kind: notNode, left: inner}, err
	case !p.done() && p.text[p.pos] == '(':
		p.pos++
		inner, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.done() || p.text[p.pos] != ')' {
			return nil, p.fail(p.pos, "AND, OR or a closing bracket")
		}
		p.pos++
		return inner, nil
	}
	return p.atom()
}

func (p *parser) atom() (*node, error) {
	if p.done() {
		return nil, p.fail(p.pos, "a fact")
	}
	start := p.pos
	name := p.peekName()
	if !isName(name) || isKeyword(name) {
		return nil, p.fail(start, "a fact")
	}
	p.pos += len(name)
	if name == "current_time" {
		return p.hours()
	}
	if strings.HasPrefix(name, "action.") {
		return p.action(start, name)
	}
	fact, ok := p.vocabulary.index[name]
	if !ok {
		return nil, p.fail(start, fmt.Sprintf("a registered fact, %q is none", name))
	}
	p.cond.facts = append(p.cond.facts, fact)
	spec := p.vocabulary.specs[fact]
	op, opAt, err := p.op()
	switch {
	case err != nil:
		return nil, err
	case op == 0 && spec.Type != BoolFact:
		return nil, p.fail(opAt, fmt.Sprintf("an operator after %s, which is a %s", name, spec.Type))
	case op == 0:
		return &node{kind: boolNode, fact: fact, other: -1, slot: -1}, nil
	case !p.done() && p.text[p.pos] == '\'':
		if spec.Type != TextFact && spec.Type != TextsFact {
			return nil, p.fail(p.pos, fmt.Sprintf("no text, %s is a %s", name, spec.Type))
		}
		n := &node{kind: textNode, fact: fact, other: -1, slot: -1, op: op}
		return n, p.word(n, opAt)
	case spec.Type != NumberFact && spec.Type != AgeFact:
		return nil, p.fail(opAt, fmt.Sprintf("no number, %s is a %s", name, spec.Type))
	}
	if other := p.peekName(); isName(other) {
		return p.rival(fact, op, other)
	}
	return p.limit(start, fact)
}

// op reads an operator; 0 if there is none.
func (p *parser) op() (threshold.Op, int, error) {
	p.done()
	start, end := p.pos, p.pos
	for end < len(p.text) && strings.IndexByte("<>=!", p.text[end]) >= 0 {
		end++
	}
	if end == start {
		return 0, start, nil
	}
	op, err := threshold.ParseOp(p.text[start:end])
	if err != nil {
		return 0, start, p.fail(start, "one of > >= < <= == !=")
	}
	p.pos = end
	return op, start, nil
}

// word reads a quoted text into n.
func (p *parser) word(n *node, opAt int) error {
	if n.op != threshold.Equal && n.op != threshold.NotEqual {
		return p.fail(opAt, "== or != before a text")
	}
	end := strings.IndexByte(p.text[p.pos+1:], '\'')
	if end <= 0 {
		return p.fail(p.pos, "a text between two single quotes")
	}
	n.word = p.text[p.pos+1 : p.pos+1+end]
	p.pos += end + 2
	return nil
}

func (p *parser) hours() (*node, error) {
	if !p.keyword("in") {
		return nil, p.fail(p.pos, `"in" and a calendar after current_time`)
	}
	if !p.keyword("business_hours") {
		return nil, p.fail(p.pos, "business_hours")
	}
	return &node{kind: hoursNode, fact: -1, other: -1, slot: -1}, nil
}

func (p *parser) action(start int, name string) (*node, error) {
	n := &node{kind: actionNode, property: name, fact: -1, other: -1, slot: -1}
	if name == actionTraffic {
		return n, nil
	}
	if name != actionType && name != actionRisk {
		return nil, p.fail(start, strings.Join([]string{actionType, actionRisk, "or", actionTraffic}, " "))
	}
	op, opAt, err := p.op()
	if err != nil {
		return nil, err
	}
	if n.op = op; p.done() || p.text[p.pos] != '\'' {
		return nil, p.fail(p.pos, "a comparison with a text between single quotes")
	}
	return n, p.word(n, opAt)
}

// rival reads the second fact of a comparison of two.
func (p *parser) rival(fact int, op threshold.Op, name string) (*node, error) {
	other, ok := p.vocabulary.index[name]
	if !ok {
		return nil, p.fail(p.pos, fmt.Sprintf("a number or a registered fact, %q is none", name))
	}
	if a, b := p.vocabulary.specs[fact], p.vocabulary.specs[other]; a.Type != b.Type || a.Unit != b.Unit {
		return nil, p.fail(p.pos, fmt.Sprintf("a %s in %q like the fact before it, not a %s in %q", a.Type, a.Unit, b.Type, b.Unit))
	}
	p.pos += len(name)
	p.cond.facts = append(p.cond.facts, other)
	return &node{kind: rivalNode, fact: fact, other: other, slot: -1, op: op}, nil
}

// limit reads a threshold with the parser for those. The text ends before the
// next AND, OR or bracket.
func (p *parser) limit(start, fact int) (*node, error) {
	end := p.pos
	for end < len(p.text) && p.text[end] != ')' && p.text[end] != '(' {
		rest := &parser{text: p.text, pos: end}
		if w := rest.peekName(); strings.EqualFold(w, "and") || strings.EqualFold(w, "or") {
			break
		} else if w != "" {
			end += len(w)
			continue
		}
		end++
	}
	c, err := threshold.ParseCondition(p.text[start:end])
	if err != nil {
		if at, ok := errors.AsType[*threshold.Error](err); ok {
			return nil, &ConditionError{Text: p.text, Column: utf8.RuneCountInString(p.text[:start]) + at.Column, Want: at.Want}
		}
		return nil, p.fail(start, err.Error())
	}
	n := &node{kind: limitNode, fact: fact, other: -1, slot: -1, op: c.Op}
	spec := p.vocabulary.specs[fact]
	unit := spec.Unit
	if spec.Type == AgeFact {
		unit = threshold.Seconds
		if c.For > 0 {
			return nil, p.fail(start, "no \"for\" on an age")
		}
	}
	if unit == "" && c.Mode == threshold.Value && threshold.FamilyOf(c.Unit) == threshold.Label {
		unit = c.Unit // "> 1000 messages": a count noun
	}
	if n.watch, err = threshold.Compile(c, threshold.Options{Unit: unit, Staleness: spec.Staleness}); err != nil {
		return nil, p.fail(start, fmt.Sprintf("a limit that fits %s in %q: %v", spec.Name, unit, err))
	}
	if c.Mode == threshold.Value && unit == "" && threshold.FamilyOf(c.Unit) != threshold.Label {
		return nil, p.fail(start, fmt.Sprintf("a number without a unit, %s has none", spec.Name))
	}
	n.quick = limit{lo: math.Inf(-1), hi: math.Inf(1)} // nothing by a glance
	if num, den, err := threshold.Scale(unit, c.Unit); err == nil {
		n.quick = newLimit(c.Op, c.Value.Float64()*float64(den)/float64(num))
	}
	if c.Mode != threshold.Value {
		if n.other, err = p.referenceFact(start, c.Ref); err != nil {
			return nil, err
		}
	}
	if c.For > 0 {
		n.slot = p.cond.watches
		p.cond.watches++
	}
	p.pos = end
	return n, nil
}

// referenceFact finds the fact behind "of max pool": max_pool.
func (p *parser) referenceFact(start int, ref string) (int, error) {
	other, ok := p.vocabulary.index[strings.ReplaceAll(ref, " ", "_")]
	if !ok {
		return -1, p.fail(start, fmt.Sprintf("a registered fact as the reference, %q is none", ref))
	}
	if t := p.vocabulary.specs[other].Type; t != NumberFact {
		return -1, p.fail(start, fmt.Sprintf("a number as the reference, %q is a %s", ref, t))
	}
	p.cond.facts = append(p.cond.facts, other)
	return other, nil
}
