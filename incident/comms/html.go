package comms

import (
	"strings"
	"text/template/parse"
)

// wantPlace is where a value may stand in HTML: where its escaped form is only text.
const wantPlace = "a value in the text or in an attribute in quotes that is no link, style or script; a link may end in one"

// isPlace reports whether a value may stand behind a text in HTML, and names the place:
// two texts that end in the same one go on alike.
func isPlace(before string) (place string, ok bool) {
	for {
		i := strings.IndexByte(before, '<')
		if i < 0 {
			return "text", true
		}
		before = before[i+1:]
		if rest, comment := strings.CutPrefix(before, "!--"); comment {
			_, after, over := strings.Cut(rest, "-->")
			if !over {
				return "comment", false
			}
			before = after
			continue
		}
		name := strings.ToLower(before[:len(before)-len(strings.TrimLeft(before, "/!?abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"))])
		if before != "" && (name == "" || strings.IndexByte("-0123456789", name[0]) >= 0) {
			continue // a sign for "less"
		}
		after, attribute, over := inTag(before[len(name):])
		if !over {
			key, _, _ := strings.Cut(attribute, "=")
			return "<" + name + " " + key, isHarmless(attribute)
		}
		before = after
		if name == "script" || name == "style" {
			end := strings.Index(strings.ToLower(before), "</"+name)
			if end < 0 {
				return name, false
			}
			before = before[end:]
		}
	}
}

// inTag reads the attributes of a tag up to its end. If that is not there, attribute is
// the one whose value in quotes the text ends in, as name="value; empty if it ends
// elsewhere.
func inTag(text string) (after, attribute string, over bool) {
	for {
		text = strings.TrimLeft(text, " \t\r\n\f/")
		if rest, end := strings.CutPrefix(text, ">"); end {
			return rest, "", true
		}
		i := strings.IndexAny(text, " \t\r\n\f/>=")
		if i < 0 {
			return "", "", false
		}
		name := strings.ToLower(text[:i])
		value, has := strings.CutPrefix(strings.TrimLeft(text[i:], " \t\r\n\f"), "=")
		if text = text[max(i, 1):]; !has {
			continue
		}
		if value = strings.TrimLeft(value, " \t\r\n\f"); value == "" {
			return "", "", false
		}
		if quote := value[0]; quote == '"' || quote == '\'' {
			end := strings.IndexByte(value[1:], quote)
			if end < 0 {
				return "", name + "=" + value, false
			}
			text = value[end+2:]
			continue
		}
		if i = strings.IndexAny(value, " \t\r\n\f>"); i < 0 {
			return "", "", false
		}
		text = value[i:]
	}
}

// isHarmless reports whether the value of an attribute may end in any text.
func isHarmless(attribute string) bool {
	name, value, _ := strings.Cut(attribute, "=")
	switch {
	case name == "title", name == "alt", name == "class", name == "id", name == "lang", name == "abbr", strings.HasPrefix(name, "aria-"), strings.HasPrefix(name, "data-"):
		return true
	case name == "href", name == "src":
		value = strings.ToLower(value[1:])
		for _, begin := range []string{"https://", "http://", "mailto:"} {
			if rest, found := strings.CutPrefix(value, begin); found {
				return begin == "mailto:" || strings.ContainsRune(rest, '/') // the host is that of the template
			}
		}
	}
	return false
}

// checkHTML finds the first value that stands where it must not.
func (t pieces) checkHTML(string) (column int, want string) {
	before := ""
	for _, p := range t {
		before += p.literal
		if p.name == "" {
			continue
		}
		if _, ok := isPlace(before); !ok {
			return p.column, wantPlace
		}
		before += "x"
	}
	return 0, ""
}

// checkHTML does the same; branches have to end in the same place.
func (p program) checkHTML(from string) (column int, want string) {
	check := &checker{from: from}
	if p.Tree != nil {
		check.html(p.Root, "")
	}
	return check.column, check.want
}

// html returns what stands behind a node, for one way through the template.
func (c *checker) html(n parse.Node, before string) string {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return before
		}
		for _, child := range n.Nodes {
			before = c.html(child, before)
		}
	case *parse.TextNode:
		before += string(n.Text)
	case *parse.ActionNode:
		if _, ok := isPlace(before); !ok {
			c.fail(n.Position(), wantPlace)
		}
		before += "x"
	case *parse.IfNode:
		yes, no := c.html(n.List, before), c.html(n.ElseList, before)
		there, ok := isPlace(yes)
		if other, fine := isPlace(no); other != there || fine != ok {
			c.fail(n.Position(), "branches that end in the same place of the HTML")
		}
		before = yes
	}
	return before
}
