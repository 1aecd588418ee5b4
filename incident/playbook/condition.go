package playbook

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Condition is a compiled condition. It never changes and is safe for
// concurrent use.
type Condition struct {
	text    string
	root    *node
	quick   []quickAtom // of a condition that is nothing but these, joined by AND
	watches int         // atoms with "for"; each needs a place in the memory
	facts   []int       // used, sorted
}

// quickAtom is a yes-or-no fact, or a number against a threshold without "for" and
// reference: what most conditions are made of.
type quickAtom struct {
	fact  int
	yesNo bool
	limit
}

// limit decides by a glance: numbers below lo or above hi are surely on one side of
// the threshold, those in between are for the exact comparison.
type limit struct {
	lo, hi      float64
	below, over bool // the answer there
}

// newLimit leaves 3e-9 of the bound on each side, more than what the conversion of
// units and the reading of a float may be off.
func newLimit(op threshold.Op, bound float64) limit {
	margin := 3e-9 * math.Abs(bound)
	return limit{lo: bound - margin, hi: bound + margin, below: op.Holds(-1), over: op.Holds(1)}
}

// ConditionError reports where a condition stops making sense.
type ConditionError struct {
	Text   string
	Column int // in characters, from 1
	Want   string
}

// Error returns the text, the column and what was expected.
func (e *ConditionError) Error() string {
	return fmt.Sprintf("condition %q: column %d: want %s", e.Text, e.Column, e.Want)
}

// Compile reads a condition:
//
//	condition = and {"OR" and}
//	and       = not {"AND" not}
//	not       = "NOT" not | "(" condition ")" | atom
//	atom      = fact                                  of a yes-or-no fact
//	          | fact op number [unit] ["of" fact] ["for" duration]
//	          | fact op fact                          of two numbers of one unit
//	          | fact ("==" | "!=") "'" text "'"
//	          | "current_time" "in" calendar
//	op        = ">" | ">=" | "<" | "<=" | "==" | "!="
//
// Keywords are read in any case; numbers, units, references and durations are
// those of monitoring thresholds: "> 85% for 5 minutes", "> 90% of pool",
// "< 2 hours". Facts must be registered in the vocabulary, with a type and unit
// that fit. The calendar is business_hours. Errors are of type
// [*ConditionError].
//
// Beside the registered facts there are action.type and action.risk_level
// (texts) and action.affects_traffic_routing (yes or no), which are known in
// safety checks only and unknown elsewhere.
func Compile(text string, v *Vocabulary) (*Condition, error) {
	p := &parser{text: text, vocabulary: v, cond: &Condition{text: text}}
	root, err := p.or(0)
	if err == nil && !p.done() {
		err = p.fail(p.pos, "AND, OR or the end")
	}
	if err != nil {
		return nil, err
	}
	p.cond.root = root
	p.cond.quick = quickAtoms(root, nil)
	slices.Sort(p.cond.facts)
	p.cond.facts = slices.Compact(p.cond.facts)
	return p.cond, nil
}

// String returns the text that was compiled.
func (c *Condition) String() string { return c.text }

// Eval evaluates the condition over facts at an instant. Without the calendar of
// a service "in business_hours" is unknown, and without its history so is a
// "for". It does not allocate.
func (c *Condition) Eval(f *Facts, at time.Time) Truth {
	if t := c.glance(f, nanos(at)); t != Unknown {
		return t
	}
	e := newEnv(f, at)
	return c.root.eval(&e)
}

// quickAtoms returns the atoms of a tree, or nil if it is more than quick ones joined
// by AND.
func quickAtoms(n *node, atoms []quickAtom) []quickAtom {
	switch {
	case n.kind == andNode:
		if atoms = quickAtoms(n.left, atoms); atoms != nil {
			atoms = quickAtoms(n.right, atoms)
		}
		return atoms
	case n.kind == boolNode:
		return append(atoms, quickAtom{fact: n.fact, yesNo: true})
	case n.kind == limitNode && n.slot < 0 && n.other < 0:
		return append(atoms, quickAtom{fact: n.fact, limit: n.quick})
	}
	return nil
}

// glance evaluates a condition of quick atoms; unknown means that it takes a closer
// look.
func (c *Condition) glance(f *Facts, now int64) Truth {
	if len(c.quick) == 0 {
		return Unknown
	}
	for i := range c.quick {
		a := &c.quick[i]
		q := &f.quick[a.fact]
		if q.staleness >= 0 && now-q.at > q.staleness {
			return Unknown
		}
		holds := false
		switch {
		case a.yesNo && q.form == yesForm:
			holds = true
		case a.yesNo && q.form == noForm:
		case a.yesNo || q.form != numberForm:
			return Unknown
		case q.number < a.lo:
			holds = a.below
		case q.number > a.hi:
			holds = a.over
		default:
			return Unknown
		}
		if !holds {
			return False
		}
	}
	return True
}

// env is what a condition is evaluated against.
type env struct {
	facts  *Facts
	at     time.Time
	now    int64                // at, in nanoseconds since the epoch
	hours  *calendar.Calendar   // nil: unknown
	action *ActionSpec          // nil: unknown
	memory []threshold.Progress // of the atoms with "for"; nil: unknown
}

func newEnv(f *Facts, at time.Time) env { return env{facts: f, at: at, now: nanos(at)} }

type nodeKind uint8

const (
	andNode nodeKind = iota
	orNode
	notNode
	boolNode
	limitNode  // number against a threshold
	rivalNode  // number against number
	textNode   // text or texts against a word
	hoursNode  // current_time in business_hours
	actionNode // property of the action
)

type node struct {
	kind        nodeKind
	left, right *node

	fact, other int // index in the vocabulary; -1 for none
	watch       *threshold.Watch
	slot        int // of a watch with "for"; -1 for none
	op          threshold.Op
	quick       limit  // of limitNode without reference, in the unit of the fact
	word        string // of texts; of actionNode the wanted text
	property    string // of actionNode
}

func (n *node) eval(e *env) Truth {
	switch n.kind {
	case andNode:
		if t := n.left.eval(e); t != False {
			return t.and(n.right.eval(e))
		}
		return False
	case orNode:
		if t := n.left.eval(e); t != True {
			return t.or(n.right.eval(e))
		}
		return True
	case notNode:
		return n.left.eval(e).not()
	case boolNode:
		switch e.facts.form(n.fact, e.now) {
		case yesForm:
			return True
		case noForm:
			return False
		default:
			return Unknown
		}
	case limitNode:
		return n.limit(e)
	case rivalNode:
		x, _ := e.facts.number(n.fact, e.now)
		y, _ := e.facts.number(n.other, e.now)
		if math.IsNaN(x) || math.IsNaN(y) {
			return Unknown
		}
		return truth(n.op.Holds(compare(x, y)))
	case textNode:
		return n.texts(e)
	case hoursNode:
		if e.hours == nil {
			return Unknown
		}
		return truth(e.hours.IsOpen(e.at))
	default:
		return n.ofAction(e)
	}
}

func compare(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func (n *node) limit(e *env) Truth {
	if n.slot >= 0 {
		if e.memory == nil {
			return Unknown
		}
		switch p := n.watch.At(e.memory[n.slot], e.at); {
		case p.Last.IsZero() || p.State == threshold.NoData || p.State == threshold.NoReference:
			return Unknown
		default:
			return truth(p.State == threshold.Firing)
		}
	}
	x, is := e.facts.number(n.fact, e.now)
	switch {
	case is == neverForm:
		return False
	case is == unknownForm:
		return Unknown
	case n.other < 0 && x < n.quick.lo:
		return truth(n.quick.below)
	case n.other < 0 && x > n.quick.hi:
		return truth(n.quick.over)
	}
	switch n.watch.Check(x, n.reference(e)) {
	case threshold.Breach:
		return True
	case threshold.Good:
		return False
	default:
		return Unknown
	}
}

func (n *node) reference(e *env) float64 {
	if n.other < 0 {
		return threshold.Missing
	}
	x, _ := e.facts.number(n.other, e.now)
	return x
}

// texts compares a word, or every word of a group.
func (n *node) texts(e *env) Truth {
	if e.facts.form(n.fact, e.now) == unknownForm {
		return Unknown
	}
	v := &e.facts.values[n.fact].Value
	if v.Type == TextFact {
		return n.isWord(v.Text)
	}
	all := True
	for _, word := range v.Texts {
		if word == "" {
			all = all.and(Unknown)
			continue
		}
		all = all.and(n.isWord(word))
	}
	return all
}

func (n *node) isWord(word string) Truth {
	return truth((word == n.word) == (n.op == threshold.Equal))
}

// The properties of an action that safety checks may ask for.
const (
	actionType    = "action.type"
	actionRisk    = "action.risk_level"
	actionTraffic = "action.affects_traffic_routing"
)

func (n *node) ofAction(e *env) Truth {
	if e.action == nil {
		return Unknown
	}
	switch n.property {
	case actionType:
		return n.isWord(string(e.action.Type))
	case actionRisk:
		return n.isWord(string(e.action.Risk))
	}
	return truth(e.action.AffectsTraffic)
}

// observe carries the history of the atoms with "for" on to a new sample of a
// fact.
func (c *Condition) observe(e *env, fact int) error { return c.root.observe(e, fact) }

func (n *node) observe(e *env, fact int) error {
	if n == nil {
		return nil
	}
	if n.kind != limitNode {
		return errors.Join(n.left.observe(e, fact), n.right.observe(e, fact))
	}
	if n.slot < 0 || n.fact != fact {
		return nil
	}
	x, _ := e.facts.number(n.fact, e.now)
	p, err := n.watch.Observe(e.memory[n.slot], threshold.Sample{At: e.at, Value: x, Reference: n.reference(e)})
	e.memory[n.slot] = p
	return err
}

// seen describes the values that the condition looked at.
func (c *Condition) seen(e *env) string {
	var parts []string
	for _, i := range c.facts {
		parts = append(parts, e.facts.describe(i, e.at))
	}
	return strings.Join(append(parts, c.root.seen(e)...), ", ")
}

func (n *node) seen(e *env) []string {
	switch {
	case n == nil:
		return nil
	case n.kind == hoursNode && e.hours == nil:
		return []string{"business hours are not known"}
	case n.kind == hoursNode:
		return []string{"it is " + e.at.In(e.hours.Location()).Format("Mon 15:04") + " in " + e.hours.Location().String()}
	case n.kind == actionNode && e.action != nil:
		value := map[string]string{actionType: string(e.action.Type), actionRisk: string(e.action.Risk)}[n.property]
		if n.property == actionTraffic {
			value = strconv.FormatBool(e.action.AffectsTraffic)
		}
		return []string{n.property + " = " + value}
	}
	return append(n.left.seen(e), n.right.seen(e)...)
}

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
