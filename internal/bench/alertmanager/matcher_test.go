package alertmanager

import (
	"errors"
	"math/rand/v2"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/prometheus/alertmanager/matcher/compat"

	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

// TestMatchers reads random texts, made of what has a meaning in matchers, in each
// mode: twenty for every file of the other tests.
func TestMatchers(t *testing.T) {
	parts := []string{
		"a", "b1", "_c", "d:e", "é", "1", " ", "\t", "\n", "\u00a0", "\u2028", "=", "!=", "=~", "!~", "!", "~", "{", "}", ",", `"`, `"`, `'`, "`", `\`, `\n`, `\"`, `\\`, `\x41`, `\u00e9`, `\d`, ".*", "|", "(", ")", "[", "]",
		"a=b", `a="b"`, `é!="x y"`, "\xff", "\ufffd", "\x00", `"a b"=~"c|d"`, `=""`,
	}
	var read, refused, stricter int
	for _, mode := range []matcher.Mode{matcher.Fallback, matcher.UTF8, matcher.Classic} {
		setMode(t, mode)
		rnd := rand.New(rand.NewPCG(uint64(mode), 5))
		w := &writer{Rand: rnd}
		for range size() * 20 / 3 {
			var b strings.Builder
			for range 1 + rnd.IntN(9) {
				b.WriteString(parts[rnd.IntN(len(parts))])
			}
			text := b.String()
			if rnd.IntN(2) == 0 { // or one of those parts somewhere in what is right
				text = w.matcher() + "," + w.matcher()
				at := rnd.IntN(len(text) + 1)
				text = text[:at] + parts[rnd.IntN(len(parts))] + text[at:]
			}
			ours, err := matcher.ParseListMode(text, mode)
			theirs, theirErr := compat.Matchers(text, "test")
			got, want := matcher.Format(ours), theirs.String()
			if alone(err) && theirErr == nil {
				stricter++
				continue
			}
			if (err == nil) != (theirErr == nil) || err == nil && got != want {
				t.Fatalf("list %q in mode %q: ours %s, %v, alertmanager %s, %v", text, mode, got, err, want, theirErr)
			}
			one, err1 := matcher.ParseMode(text, mode)
			other, theirErr := compat.Matcher(text, "test")
			if !alone(err1) && (err1 == nil) != (theirErr == nil) || err1 == nil && one.String() != other.String() {
				t.Fatalf("one %q in mode %q: ours %s, %v, alertmanager %v, %v", text, mode, one, err1, other, theirErr)
			}
			if err != nil {
				refused++
				continue
			}
			read++
			for _, labels := range w.labelSets(3) {
				if got, want := matcher.All(ours, labels), theirs.Matches(labelSet(labels)); got != want {
					t.Fatalf("list %q in mode %q matches %v: ours %v, alertmanager %v", text, mode, labels, got, want)
				}
			}
		}
	}
	t.Logf("alertmanager matchers: %d texts read alike, %d refused by both, %d by us alone for an expression that gets out of its anchors, 0 differences", read, refused, stricter)
}

// alone reports whether an error is about a parenthesis that nothing opened.
func alone(err error) bool {
	wrong, ok := errors.AsType[*matcher.SyntaxError](err)
	if !ok || wrong.Err == nil {
		return false
	}
	paren, ok := errors.AsType[*syntax.Error](wrong.Err)
	return ok && paren.Code == syntax.ErrUnexpectedParen
}
