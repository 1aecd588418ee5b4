package correlation

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Parse reads the text of a rule:
//
//	rule = "IF" cond {"AND" cond} "THEN" ["suppress" sel {"AND" sel}] ["CREATE" "composite_alert" ":" string]
//	cond = ["NOT"] (sel | "COUNT" "(" sel ")" ">=" int)
//	sel  = pattern ["AS" var] ["WHERE" pred {("," | "AND") pred}]
//	pred = label op (string | var "." label) | "near" "(" var "," int ")"
//	op   = "=" | "!=" | "=~" | "!~"
//
// Keywords are read in any case; # starts a comment. Every problem is a
// [*RuleError]; several are joined, up to a hundred.
func Parse(text string) (Logic, error) {
	p := &parser{lex: lexer{text: text}, bound: map[string]bool{}}
	if !utf8.ValidString(text) {
		return Logic{}, p.lex.problem(token{pos: invalidAt(text), text: "\uFFFD"}, "text in UTF-8")
	}
	l := p.rule()
	return l, errors.Join(p.errs...)
}

// invalidAt returns the place of the first byte that is not UTF-8, 0 if there is none.
func invalidAt(text string) int {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(text[i:]); n == 1 {
				return i
			}
		}
	}
	return 0
}

type tokenKind uint8

const (
	endToken    tokenKind = iota
	wordToken             // name, pattern, keyword or number
	stringToken           // text holds the value
	opToken               // = != =~ !~ >=
	markToken             // ( ) , :
	badToken              // text says what is there, want what was expected
)

// token is a word, string or mark of a rule.
type token struct {
	kind tokenKind
	text string
	want string
	pos  int // byte offset
}

// lexer cuts the text of a rule into tokens.
type lexer struct {
	text string
	pos  int
}

// next returns the next token, an endToken at the end and ever after.
func (l *lexer) next() token {
	l.skip()
	start := l.pos
	if start == len(l.text) {
		return token{pos: start}
	}
	r, size := utf8.DecodeRuneInString(l.text[start:])
	switch {
	case r == '"':
		return l.str()
	case strings.ContainsRune("(),:", r):
		l.pos += size
		return token{kind: markToken, text: string(r), pos: start}
	case strings.ContainsRune("=!<>~", r):
		for l.pos < len(l.text) && strings.IndexByte("=!<>~", l.text[l.pos]) >= 0 {
			l.pos++
		}
		return token{kind: opToken, text: l.text[start:l.pos], pos: start}
	}
	for l.pos < len(l.text) {
		r, size := utf8.DecodeRuneInString(l.text[l.pos:])
		if r != '*' && !isWordRune(r) {
			break
		}
		l.pos += size
	}
	if l.pos > start {
		return token{kind: wordToken, text: l.text[start:l.pos], pos: start}
	}
	l.pos += size
	return token{kind: badToken, text: string(r), want: "a name, a string, an operator or one of ( ) , :", pos: start}
}

// skip passes over white space and comments.
func (l *lexer) skip() {
	for l.pos < len(l.text) {
		r, size := utf8.DecodeRuneInString(l.text[l.pos:])
		switch {
		case unicode.IsSpace(r):
			l.pos += size
		case r == '#':
			if n := strings.IndexByte(l.text[l.pos:], '\n'); n >= 0 {
				l.pos += n
			} else {
				l.pos = len(l.text)
			}
		default:
			return
		}
	}
}

// str reads a string, whose first quote is next. It ends on its line; \" and \\ are the
// only escapes.
func (l *lexer) str() token {
	start := l.pos
	var b strings.Builder
	for i := start + 1; i < len(l.text); i++ {
		switch c := l.text[i]; c {
		case '"':
			l.pos = i + 1
			return token{kind: stringToken, text: b.String(), pos: start}
		case '\n':
			l.pos = i
			return token{kind: badToken, text: l.text[start:i], want: `a closing " on the same line`, pos: start}
		case '\\':
			if i+1 < len(l.text) && (l.text[i+1] == '"' || l.text[i+1] == '\\') {
				i++
				b.WriteByte(l.text[i])
				continue
			}
			l.pos = len(l.text)
			return token{kind: badToken, text: `\`, want: `\" or \\`, pos: i}
		default:
			b.WriteByte(c)
		}
	}
	l.pos = len(l.text)
	return token{kind: badToken, text: l.text[start:], want: `a closing "`, pos: start}
}

// problem makes the error for a token.
func (l *lexer) problem(t token, want string) *RuleError {
	before := l.text[:t.pos]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	got := t.text
	if t.kind == stringToken {
		got = strconv.Quote(got)
	}
	if t.kind == badToken && t.want != "" {
		want = t.want
	}
	return &RuleError{Line: line, Column: column, Value: got, Want: want}
}

// parser reads one rule. The first problem of form stops it; problems of
// meaning are collected.
type parser struct {
	lex    lexer
	queue  []token // tokens read ahead
	errs   []error
	failed bool
	bound  map[string]bool // variables of the IF part
	lastAs int             // position of the variable bound last
}

// peek returns the token n places ahead, 0 for the next one, and leaves it there.
func (p *parser) peek(n int) token {
	for len(p.queue) <= n {
		p.queue = append(p.queue, p.lex.next())
	}
	return p.queue[n]
}

// take returns the next token and goes on to the one after it.
func (p *parser) take() token {
	t := p.peek(0)
	p.queue = p.queue[1:]
	return t
}

// fail stops the parser. Suggestions come from the keywords that may follow.
func (p *parser) fail(t token, want string, keywords ...string) {
	if p.failed {
		return
	}
	p.failed = true
	p.meaning(t, want, keywords...)
}

// meaning records a problem that does not keep the parser from going on.
func (p *parser) meaning(t token, want string, candidates ...string) {
	e := p.lex.problem(t, want)
	if t.kind == wordToken {
		e.Suggestion = closest(t.text, candidates)
	}
	p.errs = append(p.errs, e)
	p.failed = p.failed || len(p.errs) >= maxProblems // each costs a look at the text
}

// maxProblems is how many problems are told at once.
const maxProblems = 100

var keywords = []string{"IF", "AND", "THEN", "NOT", "COUNT", "AS", "WHERE", "suppress", "CREATE", "composite_alert", "near"}

// isKeyword reports whether t is a certain keyword, in any case.
func isKeyword(t token, word string) bool {
	return t.kind == wordToken && strings.EqualFold(t.text, word)
}

// reserved reports whether t is any keyword.
func reserved(t token) bool {
	return slices.ContainsFunc(keywords, func(k string) bool { return isKeyword(t, k) })
}

// keyword takes a keyword if it is next.
func (p *parser) keyword(word string) bool {
	if p.failed || !isKeyword(p.peek(0), word) {
		return false
	}
	p.take()
	return true
}

// expectKeyword takes a keyword that has to be next.
func (p *parser) expectKeyword(word, want string) {
	if !p.failed && !p.keyword(word) {
		p.fail(p.peek(0), want, word)
	}
}

// expect takes a token that has to be next, of a kind and, unless that is empty, a text.
// After a failure it returns the zero token.
func (p *parser) expect(kind tokenKind, text, want string) token {
	if p.failed {
		return token{}
	}
	t := p.peek(0)
	if t.kind != kind || text != "" && t.text != text {
		p.fail(t, want)
		return token{}
	}
	return p.take()
}

// rule reads the whole text.
func (p *parser) rule() Logic {
	var l Logic
	first := p.peek(0)
	p.expectKeyword("IF", `"IF"`)
	positive := false
	for !p.failed {
		c := p.condition()
		positive = positive || !c.Not
		l.If = append(l.If, c)
		if !p.keyword("AND") {
			break
		}
	}
	p.expectKeyword("THEN", `"AND" and a condition, or "THEN"`)
	if p.failed {
		return Logic{}
	}
	if !positive {
		p.meaning(first, "at least one condition without NOT")
	}
	action := p.peek(0)
	if p.keyword("suppress") {
		for !p.failed {
			l.Suppress = append(l.Suppress, p.selector(true))
			if !p.keyword("AND") {
				break
			}
		}
	}
	if p.keyword("CREATE") {
		p.expectKeyword("composite_alert", `"composite_alert"`)
		p.expect(markToken, ":", `":" after composite_alert`)
		title := p.expect(stringToken, "", `the title of the composite in double quotes`)
		if !p.failed && strings.TrimSpace(title.text) == "" {
			p.meaning(title, "a title that is not empty")
		}
		l.Composite = title.text
	}
	switch end := p.peek(0); {
	case p.failed:
	case end.kind == endToken:
		if l.Suppress == nil && l.Composite == "" && len(p.errs) == 0 {
			p.fail(action, `"suppress" or "CREATE"`)
		}
	case l.Suppress == nil && l.Composite == "":
		p.fail(end, `"suppress" or "CREATE"`, "suppress", "CREATE")
	case l.Composite == "":
		p.fail(end, `"AND" and a selector, "CREATE" or the end of the rule`, "AND", "WHERE", "CREATE")
	default:
		p.fail(end, "the end of the rule")
	}
	if p.failed || len(p.errs) > 0 {
		return Logic{}
	}
	return l
}

// condition reads a cond.
func (p *parser) condition() Condition {
	var c Condition
	c.Not = p.keyword("NOT")
	if !isKeyword(p.peek(0), "COUNT") || p.peek(1).text != "(" {
		c.Selector = p.selector(false)
	} else {
		p.take()
		p.expect(markToken, "(", `"("`)
		c.Selector = p.selector(false)
		p.expect(markToken, ")", `")"`)
		p.expect(opToken, ">=", `">=" and the number of alerts`)
		n := p.expect(wordToken, "", "the number of alerts")
		c.Count = p.number(n, 1, "a whole number from 1 to 1000000")
	}
	if c.Not && c.As != "" {
		p.meaning(token{kind: wordToken, text: c.As, pos: p.lastAs}, "no variable on a condition with NOT: it binds nothing")
	}
	return c
}

// number reads a whole number from lowest to a million; a bad one is a problem and counts
// as lowest.
func (p *parser) number(t token, lowest int, want string) int {
	if p.failed {
		return 0
	}
	n, err := strconv.Atoi(t.text)
	if err != nil || n < lowest || t.text[0] == '+' || n > 1_000_000 {
		p.meaning(t, want)
		return lowest
	}
	return n
}

// selector reads a sel, in the THEN part if target is set.
func (p *parser) selector(target bool) Selector {
	var s Selector
	if p.failed {
		return s
	}
	t := p.peek(0)
	layer, name, ok := strings.Cut(t.text, ".")
	if t.kind != wordToken || !ok || layer == "" || name == "" {
		want := `a pattern like layer.name or layer.*`
		if reserved(t) || t.kind != wordToken {
			p.fail(t, want)
		} else {
			p.fail(t, want, keywords...)
		}
		return s
	}
	s.Pattern = p.take().text
	if p.keyword("AS") {
		v := p.expect(wordToken, "", "the name of a variable")
		switch {
		case p.failed:
		case reserved(v) || strings.ContainsAny(v.text, ".*"):
			p.fail(v, "the name of a variable: letters, digits, _ and -, no keyword")
		case target:
			p.meaning(v, "no variable on a selector to suppress: variables are bound in the IF part")
		case p.bound[v.text]:
			p.meaning(v, "a variable that is not bound yet")
		default:
			p.bound[v.text] = true
			p.lastAs = v.pos
			s.As = v.text
		}
	}
	if !p.keyword("WHERE") {
		return s
	}
	for !p.failed {
		s.Where = append(s.Where, p.predicate(target))
		if p.failed {
			break
		}
		t := p.peek(0)
		if t.kind == markToken && t.text == "," {
			p.take()
			continue
		}
		if !isKeyword(t, "AND") || !p.predicateAt(1) {
			break
		}
		p.take()
	}
	return s
}

// predicateAt reports whether the tokens from n on start a predicate rather
// than a selector.
func (p *parser) predicateAt(n int) bool {
	a, b := p.peek(n), p.peek(n+1)
	return a.kind == wordToken && (b.kind == opToken || isKeyword(a, "near") && b.text == "(" && b.kind == markToken)
}

// predicate reads a pred, in the THEN part if target is set.
func (p *parser) predicate(target bool) Predicate {
	var q Predicate
	label := p.expect(wordToken, "", "a label or near(variable, hops)")
	if p.failed {
		return q
	}
	if isKeyword(label, "near") && p.peek(0).text == "(" {
		return p.near(target)
	}
	if strings.Contains(label.text, "*") || reserved(label) {
		p.fail(label, "the name of a label")
		return q
	}
	q.Label = label.text
	op := p.peek(0)
	for o, text := range predicateOps {
		if op.kind == opToken && op.text == text {
			q.Op = PredicateOp(o)
		}
	}
	if q.Op == 0 {
		p.fail(op, `an operator after the label: = != =~ or !~`)
		return q
	}
	p.take()
	if q.Label == dependsOn && q.Op != Equals && q.Op != Differs {
		p.meaning(op, "= or != on depends_on")
	}
	value := p.peek(0)
	switch value.kind {
	case stringToken:
		q.Value = p.take().text
		if q.Op == Matches || q.Op == MatchesNo {
			if _, err := compileRegexp(q.Value); err != nil {
				p.meaning(value, "a regular expression: "+err.Error())
			}
		}
	case wordToken:
		p.take()
		name, varLabel, ok := strings.Cut(value.text, ".")
		if !ok || name == "" || varLabel == "" || strings.Contains(value.text, "*") {
			p.fail(value, `a value in double quotes or variable.label`)
			return q
		}
		q.Var, q.VarLabel = name, varLabel
		p.useVar(token{kind: wordToken, text: name, pos: value.pos}, target)
		if q.Op == Matches || q.Op == MatchesNo {
			p.meaning(value, "a regular expression in double quotes; variables go with = and !=")
		}
	default:
		p.fail(value, `a value in double quotes or variable.label`)
	}
	return q
}

// near reads what follows the word near.
func (p *parser) near(target bool) Predicate {
	p.expect(markToken, "(", `"("`)
	v := p.expect(wordToken, "", "a variable")
	if !p.failed {
		p.useVar(v, target)
	}
	p.expect(markToken, ",", `"," and the number of hops`)
	hops := p.expect(wordToken, "", "the number of hops")
	q := Predicate{Op: Near, Var: v.text, Hops: p.number(hops, 0, "a whole number of hops from 0 to 1000000")}
	p.expect(markToken, ")", `")"`)
	return q
}

// useVar checks a use of a variable.
func (p *parser) useVar(v token, target bool) {
	switch {
	case !target:
		p.meaning(v, "no variable in the IF part: variables are used in selectors to suppress and in the title")
	case !p.bound[v.text]:
		names := make([]string, 0, len(p.bound))
		for name := range p.bound {
			names = append(names, name)
		}
		slices.Sort(names)
		want := "a variable bound with AS in the IF part"
		if len(names) > 0 {
			want += ": " + strings.Join(names, ", ")
		}
		p.meaning(v, want, names...)
	}
}

// compileRegexp compiles an expression that must match a whole value.
func compileRegexp(s string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(s); err != nil { // as written: no way out of the anchors
		return nil, err
	}
	return regexp.Compile(`^(?:` + s + `)$`)
}
