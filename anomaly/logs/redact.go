package logs

import (
	"math"
	"strings"
)

// Redact returns the line with every value in it replaced by its kind, such as
// <ip> or <num>, and all else as it was. See [AppendRedacted].
func Redact(line string) string {
	return string(AppendRedacted(nil, line))
}

// AppendRedacted appends the redacted line to dst: numbers, addresses, names of
// hosts and files, quoted strings, words with digits and all else that the masks
// of a [Miner] take for a value become <num>, <ip> and so on; of JSON and logfmt
// the keys and levels stay, and the words of the message. What follows a word
// such as password or token and a = or : becomes <secret>, up to the next blank.
//
// It is no proof against words: the name of a user stays unless something marks it
// as a value. The whole line is looked at, whatever its length.
func AppendRedacted(dst []byte, line string) []byte {
	var s scanner
	s.line(line, math.MaxInt)
	done := 0
	for i := range s.tokens {
		t := &s.tokens[i]
		if t.start < done {
			continue // within a secret
		}
		dst = append(dst, line[done:t.start]...)
		done = t.start + len(t.text)
		switch {
		case i > 1 && (s.tokens[i-1].text == "=" || s.tokens[i-1].text == ":") && isSecret(s.tokens[i-2].text),
			i > 0 && strings.EqualFold(s.tokens[i-1].text, "bearer"):
			dst = append(dst, "<secret>"...)
			for done < len(line) && !is(line[done], blank) && strings.IndexByte(`"',})]`, line[done]) < 0 {
				done++
			}
		case t.kind.constant() && t.kind != Code:
			dst = append(dst, t.text...)
		default:
			dst = append(dst, placeholders[t.kind]...)
		}
	}
	return append(dst, line[done:]...)
}

// isSecret reports names of things that are not for logs.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"password", "passwd", "pwd", "passphrase", "secret", "token", "apikey", "api_key", "api-key", "authorization", "cookie", "credential", "credentials"} {
		if strings.HasSuffix(name, word) {
			return true
		}
	}
	return false
}
