package adapters

import (
	"strings"
	"unicode/utf8"
)

// CutMark ends a text that [Cut] has cut.
const CutMark = "… [cut]"

// Cut shortens a text to at most most characters, between characters and with
// [CutMark] at its end, or the beginning of that if there is no room for all of it. It
// returns how many characters of the text were lost; 0 and the text as it is if it
// fits, or if most is 0. What is no UTF-8 becomes U+FFFD.
func Cut(text string, most int) (short string, lost int) {
	text = strings.ToValidUTF8(text, "\uFFFD")
	n := utf8.RuneCountInString(text)
	if most <= 0 || n <= most {
		return text, 0
	}
	mark := []rune(CutMark)
	keep := max(most-len(mark), 0)
	return string([]rune(text)[:keep]) + string(mark[:min(len(mark), most)]), n - keep
}
