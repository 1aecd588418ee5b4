package jira

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// What Jira takes, in characters. Whether it means code points or, as Java does,
// units of UTF-16 is not said; units are counted, which is right for both.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/
const (
	maxSummary  = 255
	maxText     = 32_767
	maxLabel    = 255
	maxProperty = 32_768 // of an issue property, in characters of JSON
	maxBulk     = 50     // issues of one bulk create
	maxIDs      = 50     // reconcileIssues of one search
)

const (
	cutMark  = "…"
	cutNote  = "\n… [cut, the full text is attached]"
	fullText = "full-text.txt"
)

// Cut is what did not fit. The whole text is in an attachment of the issue.
type Cut struct {
	Field string // "summary", "description", "comment"
	Had   int    // units of UTF-16
	Kept  int
}

// fit cuts a text to most units, mark included, between characters.
func fit(text string, most int, mark string) (string, bool) {
	text = strings.ToValidUTF8(text, "\ufffd")
	if len(text) <= most || units(text) <= most { // a byte is at most one unit
		return text, false
	}
	room := most - units(mark)
	for i, r := range text {
		if room -= utf16.RuneLen(r); room < 0 {
			return text[:i] + mark, true
		}
	}
	return text, false
}

// units is the length in UTF-16.
func units(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// summaryOf makes one line, which is what Jira takes for a summary.
func summaryOf(title string) string { return strings.Join(strings.Fields(title), " ") }

// clip shortens what others say, between characters.
func clip(text string, most int) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
