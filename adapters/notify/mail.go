package notify

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// letter is a mail under construction. The same letter gives the same bytes.
type letter struct {
	Message
	from, replyTo *mail.Address // replyTo may be nil
	to            *mail.Address // nil for several readers
	at            time.Time
}

// bytes returns the mail as RFC 5322 and RFC 2045 have it, with lines that end in
// CRLF and have at most 78 characters where the words allow it. All but addresses
// is ASCII.
func (l letter) bytes() ([]byte, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	if l.to != nil && strings.ContainsAny(l.to.Name, "\r\n") {
		return nil, &InputError{"name", l.to.Name, "one line"}
	}
	var b bytes.Buffer
	field := func(name, value string) { fmt.Fprintf(&b, "%s\r\n", fold(name+": "+value)) }
	field("Date", l.at.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	field("From", formatAddress(l.from))
	if l.replyTo != nil {
		field("Reply-To", formatAddress(l.replyTo))
	}
	if l.to != nil {
		field("To", formatAddress(l.to))
	} else {
		field("To", "undisclosed-recipients:;")
	}
	field("Subject", words(l.Subject))
	field("Message-ID", l.id())
	if l.Thread != "" {
		// The beginning of the thread is a name that no message has, so that nobody has
		// to know which was the first; readers put messages together that refer to the same.
		root := messageID("thread", l.Thread, l.from)
		field("In-Reply-To", root)
		field("References", root)
	}
	field("Auto-Submitted", "auto-generated") // RFC 3834: do not answer
	field("MIME-Version", "1.0")
	if len(l.Attachments) == 0 {
		l.writeText(&b)
		return b.Bytes(), nil
	}
	boundary := l.multipart(&b, "mixed")
	fmt.Fprintf(&b, "--%s\r\n", boundary)
	l.writeText(&b)
	for _, a := range l.Attachments {
		fmt.Fprintf(&b, "--%s\r\n", boundary)
		a.write(&b)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes(), nil
}

// multipart begins an entity of several parts and returns what stands between
// them. No line of quoted-printable or base64 text can have "=_" (RFC 2045 section
// 6.7).
func (l letter) multipart(b *bytes.Buffer, kind string) (boundary string) {
	boundary = "=_" + digest(kind, l.Key)
	fmt.Fprintf(b, "%s\r\n\r\n", fold(fmt.Sprintf("Content-Type: multipart/%s; boundary=%q", kind, boundary)))
	return boundary
}

// writeText writes what is to be read.
func (l letter) writeText(b *bytes.Buffer) {
	switch {
	case l.HTML == "":
		writePart(b, "plain", l.Text)
	case l.Text == "":
		writePart(b, "html", l.HTML)
	default:
		boundary := l.multipart(b, "alternative")
		fmt.Fprintf(b, "--%s\r\n", boundary)
		writePart(b, "plain", l.Text)
		fmt.Fprintf(b, "--%s\r\n", boundary)
		writePart(b, "html", l.HTML)
		fmt.Fprintf(b, "--%s--\r\n", boundary)
	}
}

func (a Attachment) write(b *bytes.Buffer) {
	const line = 57 // bytes, that are 76 characters
	fmt.Fprintf(b, "Content-Type: %s\r\nContent-Transfer-Encoding: base64\r\n", cmp.Or(a.Type, octets))
	fmt.Fprintf(b, "Content-Disposition: %s\r\n\r\n", mime.FormatMediaType("attachment", map[string]string{"filename": a.Name}))
	for part := range slices.Chunk(a.Data, line) {
		fmt.Fprintf(b, "%s\r\n", base64.StdEncoding.EncodeToString(part))
	}
}

const octets = "application/octet-stream"

// check refuses a file whose name or type cannot stand in a header.
func (a Attachment) check() error {
	const most = 255
	if a.Name == "" || len(a.Name) > most || strings.ContainsAny(a.Name, "\r\n/\\\x00") || !utf8.ValidString(a.Name) {
		return &InputError{"attachments", a.Name, "the name of a file, without its folder"}
	}
	kind := cmp.Or(a.Type, octets)
	if _, _, err := mime.ParseMediaType(kind); err != nil || len(kind) > most || !strings.Contains(kind, "/") || !isPlain(kind) {
		return &InputError{"attachments", a.Type, `a type like "text/csv"`}
	}
	return nil
}

// id is the Message-ID: that of the key.
func (l letter) id() string { return messageID("message", l.Key, l.from) }

func messageID(kind, text string, from *mail.Address) string {
	return "<" + digest(kind, text) + from.Address[strings.LastIndexByte(from.Address, '@'):] + ">"
}

func digest(kind, text string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + text))
	return hex.EncodeToString(sum[:16])
}

// lineEnds makes all line ends alike: after a bare \r the writer of package
// quotedprintable loses the next \n (Go 1.26).
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func writePart(b *bytes.Buffer, kind, text string) {
	fmt.Fprintf(b, "Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", kind)
	text = lineEnds.Replace(strings.ToValidUTF8(text, "\uFFFD"))
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	w := quotedprintable.NewWriter(b) // writes \n as CRLF
	_, _ = w.Write([]byte(text))      // a Buffer takes it
	_ = w.Close()
}

// fold breaks a field before spaces so that lines have at most 78 characters, the
// first word apart.
func fold(field string) string {
	var b strings.Builder
	length := 0
	for i, word := range strings.Split(field, " ") {
		switch {
		case i == 0:
		case i > 1 && length+1+len(word) > 78:
			b.WriteString("\r\n ")
			length = 1
		default:
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += len(word)
	}
	return b.String()
}

// words writes a text for a header: as it is, or as encoded words (RFC 2047) where
// it is not plain ASCII, could be taken for encoded words, or has what folding would
// spoil.
func words(text string) string {
	if isPlain(text) {
		return text
	}
	const most = 45 // bytes, so that a word has 12 + 60 of the 75 characters allowed
	text = strings.ToValidUTF8(text, "\uFFFD")
	var out []string
	for len(text) > 0 {
		n := 0
		for n < len(text) {
			_, size := utf8.DecodeRuneInString(text[n:])
			if n+size > most {
				break
			}
			n += size
		}
		out = append(out, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(text[:n]))+"?=")
		text = text[n:]
	}
	return strings.Join(out, " ")
}

func isPlain(text string) bool {
	if strings.Contains(text, "=?") {
		return false
	}
	for word := range strings.SplitSeq(text, " ") {
		if word == "" || len(word) > 75 {
			return false
		}
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

var quotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// formatAddress writes a name and an address. The name has one line.
func formatAddress(a *mail.Address) string {
	switch {
	case a.Name == "":
		return a.Address
	case isPlain(a.Name):
		return `"` + quotes.Replace(a.Name) + `" <` + a.Address + ">"
	default:
		return words(a.Name) + " <" + a.Address + ">"
	}
}

// parseAddress takes an address without a name, of the form local@domain, and without
// characters that nobody sees.
func parseAddress(field, address string) (*mail.Address, error) {
	const most = 254 // octets, RFC 5321 section 4.5.3.1.3 without the brackets
	a, err := mail.ParseAddress(address)
	if err != nil || a.Address != address || len(address) > most || strings.ContainsFunc(address, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return nil, &InputError{field, address, "an address like name@example.com"}
	}
	return a, nil
}

// isASCII reports whether an address needs no SMTPUTF8.
func isASCII(address string) bool {
	return strings.IndexFunc(address, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
