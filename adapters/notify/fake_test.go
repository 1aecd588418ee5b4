package notify_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/notify"
)

// fake is an SMTP server at the other end of a pipe. What answer returns for a
// command is sent instead of the usual answer; "hang up" and "say nothing" are done.
type fake struct {
	before, after []string // extensions, before and after TLS
	implicit      bool     // TLS from the first byte
	answer        func(line string) string

	mu       sync.Mutex
	open     int // connections
	most     int
	dialed   int
	commands []string
	mails    []mailbox
}

// mailbox is a mail that the server took.
type mailbox struct {
	from string
	to   []string
	text string
}

const (
	hangUp     = "hang up"
	sayNothing = "say nothing"
)

var (
	authority   = sync.OnceValue(newCertificate)
	trustedPool = sync.OnceValue(func() *x509.CertPool {
		pool := x509.NewCertPool()
		pool.AddCert(authority().Leaf)
		return pool
	})
)

func newCertificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"smtp.example.com"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// client returns a sender whose connections end at the fake.
func (f *fake) client(tb testing.TB, c notify.EmailConfig) *notify.Email {
	tb.Helper()
	c.Host, c.From = "smtp.example.com", "Operations <ops@example.com>"
	if c.TLS == nil {
		c.TLS = &tls.Config{RootCAs: trustedPool()}
	}
	c.Dial = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		f.mu.Lock()
		f.dialed++
		f.open++
		f.most = max(f.most, f.open)
		f.mu.Unlock()
		go f.serve(theirs)
		return ours, nil
	}
	e, err := notify.NewEmail(c)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func (f *fake) serve(conn net.Conn) {
	plain := conn
	defer func() {
		_ = plain.Close()
		f.mu.Lock()
		f.open--
		f.mu.Unlock()
	}()
	settings := &tls.Config{Certificates: []tls.Certificate{authority()}}
	if f.implicit {
		conn = tls.Server(conn, settings)
	}
	in := bufio.NewReader(conn)
	var box mailbox
	extensions := f.before
	if !f.say(conn, in, "(greeting)", "220 smtp.example.com") {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSuffix(line, "\r\n")
		f.mu.Lock()
		f.commands = append(f.commands, line)
		f.mu.Unlock()
		usual := "250 ok"
		verb, _, _ := strings.Cut(line, " ")
		switch verb {
		case "EHLO":
			var all strings.Builder
			for _, e := range append([]string{"smtp.example.com"}, extensions...) {
				fmt.Fprintf(&all, "250-%s\r\n", e)
			}
			usual = all.String() + "250 HELP"
		case "STARTTLS":
			if !f.say(conn, in, line, "220 go ahead") {
				return
			}
			conn = tls.Server(conn, settings)
			in, extensions = bufio.NewReader(conn), f.after
			continue
		case "AUTH":
			usual = f.auth(conn, in, line)
		case "MAIL":
			box = mailbox{from: line}
		case "RCPT":
			if f.answer == nil || f.answer(line) == "" {
				box.to = append(box.to, line)
			}
		case "DATA":
			if !f.say(conn, in, line, "354 go on") {
				return
			}
			if f.answer != nil && f.answer(line) != "" {
				continue
			}
			text, err := readText(in)
			if err != nil {
				return
			}
			line, box.text = "(text)", text
			f.mu.Lock()
			f.mails = append(f.mails, box)
			f.mu.Unlock()
		case "QUIT":
			f.say(conn, in, line, "221 bye")
			return
		}
		if !f.say(conn, in, line, usual) {
			return
		}
	}
}

// auth reads what the client says of itself and accepts "ops" with "s3cret".
func (f *fake) auth(conn net.Conn, in *bufio.Reader, line string) string {
	words := strings.Fields(line)
	text := func(coded string) string {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(coded))
		if err != nil {
			return err.Error()
		}
		return string(raw)
	}
	var said []string
	switch words[1] {
	case "PLAIN":
		said = strings.Split(text(words[2]), "\x00")[1:]
	case "LOGIN":
		for _, question := range []string{"Username:", "Password:"} {
			fmt.Fprintf(conn, "334 %s\r\n", base64.StdEncoding.EncodeToString([]byte(question)))
			answer, err := in.ReadString('\n')
			if err != nil {
				return hangUp
			}
			said = append(said, text(answer))
		}
	}
	if !slices.Equal(said, []string{"ops", "s3cret"}) {
		return "535 5.7.8 wrong"
	}
	return "235 welcome"
}

// say answers a command and reports whether the conversation goes on.
func (f *fake) say(conn net.Conn, in *bufio.Reader, line, usual string) bool {
	if f.answer != nil {
		if other := f.answer(line); other != "" {
			usual = other
		}
	}
	switch usual {
	case hangUp:
		return false
	case sayNothing:
		_, _ = io.Copy(io.Discard, in) // until the client gives up
		return false
	}
	_, err := io.WriteString(conn, usual+"\r\n")
	return err == nil
}

// readText reads the text of a mail and takes the dots away that were put before others.
func readText(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line == ".\r\n" {
			return b.String(), nil
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}
