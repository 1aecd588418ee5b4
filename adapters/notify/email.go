package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// EmailConfig says which server takes mail and who sends it. Host and From are
// required.
type EmailConfig struct {
	// Host is the name of the server; its certificate has to be for it.
	Host string
	// Port defaults to 587, and to 465 with ImplicitTLS.
	Port int
	// From is the sender, with or without a name: "Operations <ops@example.com>".
	From string
	// ReplyTo is where answers go. Defaults to From.
	ReplyTo string

	// Username and Password log in, by PLAIN where the server has it and else by
	// LOGIN. Defaults to no login.
	Username string
	Password adapters.Secret

	// Security is how the connection is protected. Defaults to StartTLS.
	Security Security
	// TLS is used for certificates and versions; the server name is that of Host
	// where it has none. Defaults to the roots of the system and at least TLS 1.2.
	TLS *tls.Config

	// Hello is how the client calls itself. Defaults to the domain of From.
	Hello string
	// Timeout is how long one Send may take in all. The context may end it sooner.
	// Defaults to 1 min.
	Timeout time.Duration
	// Connections is how many there are at the same time. Defaults to 4.
	Connections int
	// Recipients is how many people one transaction may have; a message to more
	// takes several. Defaults to 100, which every server takes (RFC 5321 section
	// 4.5.3.1.8).
	Recipients int
	// Dial opens a connection, for instance through a proxy. Defaults to that of a
	// net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now dates messages that have no date. Defaults to time.Now.
	Now func() time.Time
}

// Security is how a connection is protected.
type Security string

// The ways.
const (
	StartTLS    Security = ""     // begins in the clear and turns to TLS before anything is said, or gives up
	ImplicitTLS Security = "tls"  // TLS from the first byte (RFC 8314)
	NoTLS       Security = "none" // in the clear; for a server on the same machine. It cannot have a login.
)

// Email sends mail over SMTP. It is safe for concurrent use.
type Email struct {
	config        EmailConfig // without Password, which printing it would show
	password      func() string
	server        string // host and port
	from, replyTo *mail.Address
	slots         chan struct{}
}

var _ Sender = (*Email)(nil)

// NewEmail checks the configuration; nothing is sent yet. Errors are of type
// [*InputError].
func NewEmail(c EmailConfig) (*Email, error) {
	e := &Email{config: c, password: c.Password.Reveal}
	e.config.Password = adapters.Secret{}
	var err error
	if e.from, err = sender("from", c.From); err != nil {
		return nil, err
	}
	if c.ReplyTo != "" {
		if e.replyTo, err = sender("reply_to", c.ReplyTo); err != nil {
			return nil, err
		}
	}
	d := &e.config
	port := 587
	switch c.Security {
	case StartTLS:
	case ImplicitTLS:
		port = 465
	case NoTLS:
		if c.Username != "" {
			return nil, &InputError{"security", string(c.Security), "TLS for a login"}
		}
	default:
		return nil, &InputError{"security", string(c.Security), `nothing, "tls" or "none"`}
	}
	d.Port = cmp.Or(c.Port, port)
	d.Hello = cmp.Or(c.Hello, e.from.Address[strings.LastIndexByte(e.from.Address, '@')+1:])
	d.Timeout = cmp.Or(c.Timeout, time.Minute)
	d.Connections = cmp.Or(c.Connections, 4)
	d.Recipients = cmp.Or(c.Recipients, 100)
	for _, bad := range []struct {
		field, value, want string
		is                 bool
	}{
		{"host", c.Host, "a name or an address", c.Host == "" || strings.ContainsAny(c.Host, "\r\n ")},
		{"hello", d.Hello, "a name", strings.ContainsAny(d.Hello, "\r\n ")},
		{"port", strconv.Itoa(d.Port), "1 to 65535", d.Port < 1 || d.Port > 65535},
		{"timeout", d.Timeout.String(), "more than 0", d.Timeout < 0},
		{"connections", strconv.Itoa(d.Connections), "1 or more", d.Connections < 0},
		{"recipients", strconv.Itoa(d.Recipients), "1 or more", d.Recipients < 0},
		{"username", c.Username, "a user for the password", c.Username == "" && !c.Password.IsZero()},
	} {
		if bad.is {
			return nil, &InputError{bad.field, bad.value, bad.want}
		}
	}
	d.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLS != nil {
		d.TLS = c.TLS.Clone()
		d.TLS.MinVersion = max(d.TLS.MinVersion, tls.VersionTLS12)
	}
	d.TLS.ServerName = cmp.Or(d.TLS.ServerName, c.Host)
	if d.Dial == nil {
		d.Dial = new(net.Dialer).DialContext
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	e.server = net.JoinHostPort(c.Host, strconv.Itoa(d.Port))
	e.slots = make(chan struct{}, d.Connections)
	return e, nil
}

// sender parses an address that may have a name.
func sender(field, text string) (*mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err == nil && !strings.ContainsAny(text, "\r\n") {
		if _, err = parseAddress(field, a.Address); err == nil {
			return a, nil
		}
	}
	return nil, &InputError{field, text, `an address like "Operations <ops@example.com>"`}
}

// Send hands a message to the server once. What the server says of one target does
// not touch the others. A target with an address that the server has taken is
// Delivered, which is not yet read.
func (e *Email) Send(ctx context.Context, m Message) []Result {
	ctx, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	l := letter{Message: m, from: e.from, replyTo: e.replyTo, at: m.At}
	if l.at.IsZero() {
		l.at = e.config.Now()
	}
	results := make([]Result, len(m.To))
	var to []*Result // those to be tried, each address once
	twins := map[string]*Result{}
	var again []*Result
	for i, t := range m.To {
		r := &results[i]
		*r = Result{Target: t}
		a, err := parseAddress("to", t.Address)
		switch {
		case t.Channel != comms.Email:
			*r = skipped(t, "not a target for e-mail")
		case t.Address == "":
			*r = skipped(t, "no address")
		case err != nil:
			r.settle(err)
		case twins[t.Address] != nil:
			again = append(again, r)
		default:
			twins[t.Address] = r
			to = append(to, r)
			if l.to = nil; len(m.To) == 1 {
				l.to = &mail.Address{Name: t.Name, Address: a.Address}
			}
		}
	}
	if len(to) > 0 {
		e.post(ctx, l, to)
	}
	for _, r := range again {
		first := *twins[r.Address]
		first.Target = r.Target
		*r = first
	}
	return results
}

// post writes the letter and brings it to the server.
func (e *Email) post(ctx context.Context, l letter, to []*Result) {
	text, err := l.bytes()
	if err != nil {
		settle(to, err)
		return
	}
	for _, r := range to {
		r.ID = l.id()
	}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		settle(to, &Error{Server: e.server, Op: Wait, Err: context.Cause(ctx)})
		return
	}
	s, err := e.open(ctx)
	if err != nil {
		settle(to, err)
		return
	}
	defer s.close()
	for len(to) > 0 {
		part := to[:min(e.config.Recipients, len(to))]
		to = to[len(part):]
		if err := s.transact(text, part); err != nil {
			_ = s.conn.Close() // not a word more: it would end a text that was cut off
			settle(to, err)
			return
		}
	}
}
