package markdown

import (
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"plain":           "plain",
		"# no heading":    `\# no heading`,
		"a | b\nc\td":     `a \| b c d`,
		"[x](y) <b>":      `\[x\]\(y\) &lt;b\>`,
		`\`:               `\\`,
		"INC-7 - a+b":     `INC-7 - a+b`,
		"at: :no_emoji:":  `at: \:no\_emoji:`,
		"http://x.y":      `http\:\/\/x\.y`,
		"- no list":       `\- no list`,
		" \t+ no list":    `  \+ no list`,
		"---":             `\---`,
		"bell\a, ünïcode": "bell, ünïcode",
	} {
		if got := Escape(text); got != want {
			t.Errorf("Escape(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	want := "| a | b |\n|---|---|\n| 1 | 2 |"
	if got := Table([]string{"a", "b"}, []string{"1", "2"}); got != want {
		t.Errorf("Table = %q, want %q", got, want)
	}
}

// FuzzEscape: an escaped text is one line, ends no cell of a table, begins no
// markup, and reads as the text once the backslashes are taken away.
func FuzzEscape(f *testing.F) {
	f.Add("| <a href='x'>\\|\r\n``` ![x](y)")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, '�') || strings.ToValidUTF8(text, "") != text {
			t.Skip("not UTF-8")
		}
		escaped := Escape(text)
		var plain strings.Builder
		for i := 0; i < len(escaped); i++ {
			switch c := escaped[i]; {
			case c < ' ':
				t.Fatalf("Escape(%q) = %q has a control character", text, escaped)
			case c == '\\' && i+1 < len(escaped):
				i++
			case strings.HasPrefix(escaped[i:], "&lt;"):
				plain.WriteByte('<')
				i += len("lt;")
				continue
			case strings.IndexByte("`*_[]<>|&\\", c) >= 0:
				t.Fatalf("Escape(%q) = %q leaves %q", text, escaped, c)
			}
			plain.WriteByte(escaped[i])
		}
		want := strings.Map(func(r rune) rune {
			switch {
			case r == '\n' || r == '\r' || r == '\t':
				return ' '
			case r < ' ':
				return -1
			}
			return r
		}, text)
		if trimmed := strings.TrimLeft(escaped, " "); strings.HasPrefix(trimmed, "-") || strings.HasPrefix(trimmed, "+") {
			t.Fatalf("Escape(%q) = %q begins a list", text, escaped)
		}
		if plain.String() != want {
			t.Fatalf("Escape(%q) = %q reads as %q", text, escaped, plain.String())
		}
	})
}
