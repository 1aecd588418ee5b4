package comms

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode/utf8"
)

// program is a text in the syntax of package text/template.
type program struct{ *template.Template }

func (p program) render(values map[string]string) (string, error) {
	var b strings.Builder
	err := p.Execute(&b, values)
	return b.String(), err
}

// allowed are the functions that a template may call. The others of text/template
// escape a second time, or reach for values that may not be there.
var allowed = []string{"and", "or", "not", "eq", "ne", "print", "printf", "println"}

// parseGo compiles a template. want is empty, or says what was expected at the
// column. Beside the syntax it checks every name and, by a trial run of each part,
// that the functions get what they take: also in branches that a trial run of the
// whole would not enter.
func parseGo(from string, known []string) (_ text, column int, want string) {
	if !utf8.ValidString(from) {
		return nil, 0, "UTF-8 text"
	}
	t, err := template.New("").Option("missingkey=error").Parse(from)
	if err != nil {
		return nil, 0, "a template: " + plainError(err)
	}
	check := &checker{from: from, known: known, values: map[string]string{}}
	for _, name := range known {
		check.values[name] = name
	}
	if len(t.Templates()) > 1 {
		return nil, 0, "one template, without define or block"
	}
	if t.Tree != nil {
		check.node(t.Root)
		compareUnescaped(t.Root)
	}
	return program{t}, check.column, check.want
}

// position is where text/template says that something is wrong.
var position = regexp.MustCompile(`^template: :(\d+)(:\d+)?: (executing "" at )?`)

func plainError(err error) string {
	text := err.Error()
	if m := position.FindStringSubmatch(text); m != nil {
		return "line " + m[1] + ": " + text[len(m[0]):]
	}
	return text
}

// checker walks a template and keeps the first thing that cannot be.
type checker struct {
	from   string
	known  []string
	values map[string]string // one for each name
	column int
	want   string
}

func (c *checker) fail(at parse.Pos, want string) {
	if c.want == "" {
		c.column, c.want = utf8.RuneCountInString(c.from[:min(int(at), len(c.from))])+1, want
	}
}

func (c *checker) node(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil { // no else branch
			return
		}
		for _, child := range n.Nodes {
			c.node(child)
		}
	case *parse.TextNode, *parse.CommentNode:
	case *parse.ActionNode:
		c.pipe(n.Pipe)
	case *parse.IfNode:
		c.pipe(n.Pipe)
		c.node(n.List)
		c.node(n.ElseList)
	default:
		c.fail(n.Position(), "text, values and if")
	}
}

// pipe checks the names of a pipeline and then runs it alone.
func (c *checker) pipe(p *parse.PipeNode) {
	if len(p.Decl) > 0 {
		c.fail(p.Position(), "no variable")
	}
	for _, cmd := range p.Cmds {
		for _, arg := range cmd.Args {
			c.argument(arg)
		}
	}
	if c.want != "" {
		return
	}
	t, err := template.New("").Option("missingkey=error").Parse("{{" + p.String() + "}}")
	if err == nil {
		_, err = program{t}.render(c.values)
	}
	if err != nil {
		c.fail(p.Position(), "a call that works: "+plainError(err))
	}
}

func (c *checker) argument(n parse.Node) {
	switch n := n.(type) {
	case *parse.FieldNode:
		if len(n.Ident) != 1 || !slices.Contains(c.known, n.Ident[0]) {
			c.fail(n.Position(), fmt.Sprintf("instead of %s one of .%s", n, strings.Join(c.known, ", .")))
		}
	case *parse.IdentifierNode:
		if !slices.Contains(allowed, n.Ident) {
			c.fail(n.Position(), "instead of "+strconv.Quote(n.Ident)+" one of "+strings.Join(allowed, ", "))
		}
	case *parse.PipeNode:
		c.pipe(n)
	case *parse.StringNode, *parse.NumberNode, *parse.BoolNode:
	default:
		c.fail(n.Position(), "a value, a text, a number or a function")
	}
}

// compareUnescaped lets comparisons in a template look at the values as they are,
// so that they turn out the same for every channel. What is printed is escaped.
func compareUnescaped(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			compareUnescaped(child)
		}
	case *parse.ActionNode:
		compareUnescaped(n.Pipe)
	case *parse.IfNode:
		compareUnescaped(n.Pipe)
		compareUnescaped(n.List)
		compareUnescaped(n.ElseList)
	case *parse.PipeNode:
		for i, cmd := range n.Cmds {
			name, ok := cmd.Args[0].(*parse.IdentifierNode)
			for _, arg := range cmd.Args {
				compareUnescaped(arg)
			}
			if ok && (name.Ident == "eq" || name.Ident == "ne") {
				for _, earlier := range n.Cmds[:i+1] {
					unescape(earlier)
				}
			}
		}
	}
}

// unescape lets the values of a command be those as they are.
func unescape(cmd *parse.CommandNode) {
	for _, arg := range cmd.Args {
		switch n := arg.(type) {
		case *parse.FieldNode:
			n.Ident[0] = unescaped(strings.TrimPrefix(n.Ident[0], unescaped("")))
		case *parse.PipeNode:
			for _, inner := range n.Cmds {
				unescape(inner)
			}
		}
	}
}
