// Package gsm counts the parts of an SMS.
package gsm

import (
	"sort"
	"strings"
)

// Parts counts the SMS messages that a text needs: 160 characters of the
// GSM alphabet or 70 units of UCS-2 in one, 153 or 67 in each of several. What takes
// two is never split between them (3GPP TS 23.038 sections 6.2.1 and 6.2.3, TS 23.040
// section 9.2.3.24.1). An empty text is one.
func Parts(text string) int {
	width, single, part := septets, 160, 153
	if strings.ContainsFunc(text, func(r rune) bool { return septets(r) == 0 }) {
		width, single, part = units, 70, 67
	}
	total, parts, room := 0, 1, part
	for _, r := range text {
		w := width(r)
		total += w
		if w > room {
			parts, room = parts+1, part
		}
		room -= w
	}
	if total <= single {
		return 1
	}
	return parts
}

// Cut shortens a text that needs more than so many parts together with tail, which
// is kept whole: between what is left of the text and the tail stands mark. A text
// that does not have to be cut is followed by the tail alone. Nothing of the text is
// left where mark and tail fill the parts; whether they fit is for the caller to know.
func Cut(text, mark, tail string, parts int) string {
	if Parts(text+tail) <= parts {
		return text + tail
	}
	runes := []rune(text)
	tooMany := sort.Search(len(runes)+1, func(n int) bool { return Parts(string(runes[:n])+mark+tail) > parts })
	return string(runes[:max(tooMany-1, 0)]) + mark + tail
}

// septets is what a character of the GSM alphabet takes; 0 for any other.
func septets(r rune) int {
	const basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	const extended = "\f^{}\\[~]|€"
	switch {
	case strings.ContainsRune(basic, r):
		return 1
	case strings.ContainsRune(extended, r):
		return 2
	}
	return 0
}

// units is what a character takes in UTF-16, which is what UCS-2 became.
func units(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}
