package comms

import (
	"sort"
	"strings"
)

// mostSegments is the number of parts after which the text of an SMS is cut. Ten are
// 1530 characters, or 670 where one of them is not of the GSM alphabet; gateways
// refuse what is longer: https://www.twilio.com/docs/api/errors/21617
const mostSegments = 10

// shorten cuts a text that would need more parts.
func shorten(text string) string {
	const mark = " ..."
	if segments(text) <= mostSegments {
		return text
	}
	runes := []rune(text)
	tooMany := sort.Search(len(runes), func(n int) bool { return segments(string(runes[:n])+mark) > mostSegments })
	return string(runes[:tooMany-1]) + mark
}

// segments counts the SMS messages that a text needs: 160 characters of the
// GSM alphabet or 70 units of UCS-2 in one, 153 or 67 in each of several. What takes
// two is never split between them (3GPP TS 23.038 sections 6.2.1 and 6.2.3, TS 23.040
// section 9.2.3.24.1).
func segments(text string) int {
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
