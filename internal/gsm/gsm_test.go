package gsm_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/internal/gsm"
)

func TestParts(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       int
	}{
		{"nothing", "", 1},
		{"one of GSM", strings.Repeat("a", 160), 1},
		{"two of GSM", strings.Repeat("a", 161), 2},
		{"two, full", strings.Repeat("a", 306), 2},
		{"three", strings.Repeat("a", 307), 3},
		{"extended take two", strings.Repeat("€", 80), 1},
		{"extended, one more", strings.Repeat("€", 81), 2},
		{"never split", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), 3}, // the pair goes to the second part, 154 there
		{"one of UCS-2", strings.Repeat("–", 70), 1},
		{"two of UCS-2", strings.Repeat("–", 71), 2},
		{"two, full", strings.Repeat("–", 134), 2},
		{"three of UCS-2", strings.Repeat("–", 135), 3},
		{"a pair is two units", strings.Repeat("🔥", 35), 1},
		{"pairs are never split", strings.Repeat("🔥", 67), 3}, // 33 in each part
		{"one odd character counts for all", strings.Repeat("a", 70) + "ę", 2},
	} {
		if got := gsm.Parts(tt.text); got != tt.want {
			t.Errorf("%s: Parts = %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct{ text, mark, tail, want string }{
		{"down", " ...", " link", "down link"},
		{strings.Repeat("a", 160), " ...", "", strings.Repeat("a", 160)},
		{strings.Repeat("a", 161), " ...", "", strings.Repeat("a", 156) + " ..."},
		{strings.Repeat("a", 160), " ...", " link", strings.Repeat("a", 151) + " ... link"},
		{strings.Repeat("a", 160) + "–", " ...", "", strings.Repeat("a", 156) + " ..."}, // what is cut off does not count
		{"–" + strings.Repeat("a", 160), " ...", "", "–" + strings.Repeat("a", 65) + " ..."},
		{"aaa", " ...", strings.Repeat("b", 160), " ..." + strings.Repeat("b", 160)},
	} {
		if got := gsm.Cut(tt.text, tt.mark, tt.tail, 1); got != tt.want {
			t.Errorf("Cut(%q, %q) = %q, want %q", tt.text, tt.tail, got, tt.want)
		}
	}
}

// FuzzCut: what is cut fits, keeps its tail, is a beginning of the text, and one more
// character would not fit.
func FuzzCut(f *testing.F) {
	f.Add("user_api is down", " https://ops.example.com/i/1", 1)
	f.Add(strings.Repeat("€", 400), "", 3)
	f.Add(strings.Repeat("a", 152)+"€"+strings.Repeat("🔥", 99), " x", 2)
	f.Add("\xff\xfe", "\xff", 1)
	f.Fuzz(func(t *testing.T, text, tail string, parts int) {
		const mark = " ..."
		text, tail = strings.ToValidUTF8(text, "?"), strings.ToValidUTF8(tail, "?")
		parts = min(max(parts, 1), 10)
		units := 0 // the bounds that hold for any text
		for _, r := range text {
			units += 1 + int(r>>16&1)
		}
		if n := gsm.Parts(text); n < 1 || n > 1+2*utf8.RuneCountInString(text)/66 || n == 1 && units > 160 {
			t.Fatalf("Parts(%q) = %d", text, n)
		}
		got := gsm.Cut(text, mark, tail, parts)
		if gsm.Parts(mark+tail) > parts {
			return
		}
		if n := gsm.Parts(got); n > parts || !strings.HasSuffix(got, tail) || !utf8.ValidString(got) {
			t.Fatalf("Cut(%q, %q, %d) = %q of %d parts", text, tail, parts, got, n)
		}
		if got == text+tail {
			return
		}
		kept := strings.TrimSuffix(got, mark+tail)
		if !strings.HasPrefix(text, kept) {
			t.Fatalf("Cut(%q, %q, %d) = %q, want a beginning", text, tail, parts, got)
		}
		if _, size := utf8.DecodeRuneInString(text[len(kept):]); gsm.Parts(text[:len(kept)+size]+mark+tail) <= parts {
			t.Fatalf("Cut(%q, %q, %d) = %q, and one more would fit", text, tail, parts, got)
		}
	})
}
