package locale

import "strings"

// Match returns the tag of the language that an Accept-Language header prefers
// among those that there are, by the quality values of RFC 9110, section 12.5.4, and
// the lookup of RFC 4647, section 3.4: "de-AT" is answered by "de". Of two that are
// equally good the first counts. Elements that are malformed are skipped. It returns
// "" where none is acceptable, and where "any other language" (*) comes first, so that
// the caller's own choice stands.
func Match(acceptLanguage string) string {
	best, quality := "", 0
	for element := range strings.SplitSeq(acceptLanguage, ",") {
		tag, parameter, _ := strings.Cut(element, ";")
		tag = strings.Trim(tag, " \t")
		q, ok := weight(parameter)
		if !ok || q <= quality {
			continue
		}
		if tag == "*" {
			best, quality = "", q
			continue
		}
		if l, ok := Of(tag); ok {
			best, quality = l.tag, q
		}
	}
	return best
}

// weight reads "q=0.8" in thousandths; nothing is 1.
//
//	qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
func weight(parameter string) (thousandths int, ok bool) {
	parameter = strings.Trim(parameter, " \t")
	if parameter == "" {
		return 1000, true
	}
	if len(parameter) < 3 || parameter[0]|0x20 != 'q' || parameter[1] != '=' {
		return 0, false
	}
	whole, fraction, _ := strings.Cut(parameter[2:], ".")
	if whole != "0" && whole != "1" || len(fraction) > 3 || fraction != "" && !isDigits(fraction) {
		return 0, false
	}
	for _, digit := range whole + (fraction + "000")[:3] {
		thousandths = 10*thousandths + int(digit-'0')
	}
	return thousandths, thousandths <= 1000
}
