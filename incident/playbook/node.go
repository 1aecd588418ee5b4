package playbook

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

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
