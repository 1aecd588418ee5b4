package locale_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/locale"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{"", ""},
		{"de", "de"},
		{"da, en-gb;q=0.8, en;q=0.7", "en"}, // the example of RFC 9110, section 12.5.4
		{"fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"},
		{"en;q=0.5, nl;q=0.51", "nl"},
		{"de;q=0, *", ""},
		{"*, de;q=0.5", ""},
		{"*;q=0.1, de;q=0.5", "de"},
		{"en, de", "en"},
		{"de;q=1.000, en;q=1", "de"},
		{"de;q=1.001, en;q=0.1", "en"},
		{"de;q=0.1234, en;q=0.1", "en"},
		{"de;q=abc, en;q=0.1", "en"},
		{"de;q=-1, en;q=0.1", "en"},
		{"de;x=1, en;q=0.1", "en"},
		{"de ; Q=0.2,\tnl ;q=0.3", "nl"},
		{"ja, zh;q=0.9", ""},
		{",,;q=1, fr", "fr"},
		{"de;q=0.000", ""},
	} {
		if got := locale.Match(c.header); got != c.want {
			t.Errorf("Match(%q) = %q, want %q", c.header, got, c.want)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5")
	f.Add("de;q=0.1234,*;q=")
	f.Fuzz(func(t *testing.T, header string) {
		tag := locale.Match(header)
		if tag != "" && !slices.Contains(locale.Tags(), tag) {
			t.Fatalf("Match(%q) = %q", header, tag)
		}
		// What nobody prefers more changes nothing.
		if got := locale.Match(header + ", de;q=0"); got != tag {
			t.Fatalf("Match(%q) = %q, and with a refusal behind it %q", header, tag, got)
		}
	})
}

func ExampleMatch() {
	fmt.Println(locale.Match("de-AT, de;q=0.9, en;q=0.5"))
	// Output: de
}
