package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// session is a conversation with a server. Package net/smtp knows no context; here
// its end cuts the deadline of the connection short.
type session struct {
	email   *Email
	conn    net.Conn
	answers *bounded // conn
	client  *smtp.Client
	cause   func() error // why the context of the Send has ended, if it has
	stop    func() bool  // watching it
}

// mostAnswers is how much a server may say until it has greeted, and again for each
// mail, in bytes: hundreds are usual, and package net/smtp reads lines of any length.
const mostAnswers = 1 << 20

var errTalkative = fmt.Errorf("the server says more than %d bytes for one mail", mostAnswers)

// bounded is a connection of which no more is read than is left.
type bounded struct {
	net.Conn
	left int
}

// Read reads what may be read.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTalkative
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// open connects, protects the connection and logs in.
func (e *Email) open(ctx context.Context) (_ *session, err error) {
	s := &session{email: e, cause: func() error { return context.Cause(ctx) }}
	dialed, err := e.config.Dial(ctx, "tcp", e.server)
	if err != nil {
		return nil, s.fail(Connect, err)
	}
	s.answers = &bounded{Conn: dialed, left: mostAnswers}
	s.conn = s.answers
	s.stop = context.AfterFunc(ctx, func() { _ = s.conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if err != nil {
			s.stop()
			_ = s.conn.Close()
		}
	}()
	conn := s.conn
	if e.config.Security == ImplicitTLS {
		secured := tls.Client(conn, e.config.TLS)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, s.fail(TLS, err)
		}
		conn = secured
	}
	if s.client, err = smtp.NewClient(conn, e.config.Host); err != nil {
		return nil, s.fail(Connect, err)
	}
	if err := s.client.Hello(e.config.Hello); err != nil {
		return nil, s.fail(Hello, err)
	}
	if e.config.Security == StartTLS {
		if ok, _ := s.client.Extension("STARTTLS"); !ok {
			return nil, s.fail(TLS, errors.New("the server does not offer STARTTLS"))
		}
		if err := s.client.StartTLS(e.config.TLS); err != nil {
			return nil, s.fail(TLS, err)
		}
	}
	if err := s.login(); err != nil {
		return nil, s.fail(Auth, err)
	}
	return s, nil
}

func (s *session) login() error {
	c := s.email.config
	if c.Username == "" {
		return nil
	}
	_, offered := s.client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	switch {
	case slices.Contains(mechanisms, "PLAIN"):
		return s.client.Auth(smtp.PlainAuth("", c.Username, s.email.password(), c.Host))
	case slices.Contains(mechanisms, "LOGIN"):
		return s.client.Auth(&loginAuth{answers: []string{c.Username, s.email.password()}})
	default:
		return fmt.Errorf("the server offers %q, want PLAIN or LOGIN", offered)
	}
}

// loginAuth is the mechanism LOGIN, which has no RFC: the server asks for the user,
// then for the password.
type loginAuth struct{ answers []string }

// Start begins, over TLS only.
func (a *loginAuth) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errors.New("a login needs TLS")
	}
	return "LOGIN", nil, nil
}

// Next answers a question.
func (a *loginAuth) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	if len(a.answers) == 0 {
		return nil, errors.New("the server asks for more than user and password")
	}
	answer := a.answers[0]
	a.answers = a.answers[1:]
	return []byte(answer), nil
}

// close ends the conversation, politely if there is time.
func (s *session) close() {
	const patience = 2 * time.Second
	if s.stop() {
		_ = s.conn.SetDeadline(time.Now().Add(patience))
		_ = s.client.Quit()
	}
	_ = s.conn.Close()
}

// transact sends one mail to some targets and settles each. An error says that the
// conversation is over.
func (s *session) transact(text []byte, to []*Result) error {
	s.answers.left = mostAnswers
	from := s.email.from.Address
	begin := "MAIL FROM:<" + from + ">"
	// The flag is for mail that needs it: a server that passes it on to one without
	// SMTPUTF8 would have to send it back.
	if to = s.addressable(from, to); len(to) == 0 {
		return nil
	}
	if ok, _ := s.client.Extension("SIZE"); ok { // RFC 1870: too large is said before it is sent
		begin += fmt.Sprintf(" SIZE=%d", len(text))
	}
	if !isASCII(from) || slices.ContainsFunc(to, func(r *Result) bool { return !isASCII(r.Address) }) {
		begin += " SMTPUTF8"
	}
	if err := s.command(From, 250, begin); err != nil {
		settle(to, err)
		return s.reset(err)
	}
	var accepted []*Result
	for i, r := range to {
		err := s.command(To, 25, "RCPT TO:<"+r.Address+">")
		switch {
		case err == nil:
			accepted = append(accepted, r)
		case isOver(err):
			settle(append(accepted, to[i:]...), err)
			return err
		default:
			r.settle(err)
		}
	}
	if len(accepted) == 0 {
		return s.reset(nil)
	}
	if err := s.command(Data, 354, "DATA"); err != nil {
		settle(accepted, err)
		return s.reset(err)
	}
	return s.write(text, accepted)
}

// addressable settles the targets whose address the server cannot take and returns
// the others.
func (s *session) addressable(from string, to []*Result) []*Result {
	if ok, _ := s.client.Extension("SMTPUTF8"); ok {
		return to
	}
	return slices.DeleteFunc(slices.Clone(to), func(r *Result) bool {
		bad := !isASCII(r.Address) || !isASCII(from)
		if bad {
			r.settle(&InputError{"to", r.Address, "ASCII addresses: the server does not offer SMTPUTF8"})
		}
		return bad
	})
}

// write sends the text. The server has it when it says so, and may have it when
// the answer is lost after the last byte.
func (s *session) write(text []byte, to []*Result) error {
	w := s.client.Text.DotWriter()
	_, err := w.Write(text)
	complete := err == nil
	if complete {
		err = w.Close()
	}
	if err == nil {
		_, _, err = s.client.Text.ReadResponse(250)
	}
	if err == nil {
		settle(to, nil)
		return nil
	}
	err = s.fail(Text, err)
	settle(to, err)
	if e, ok := errors.AsType[*Error](err); ok && e.Code == 0 {
		for _, r := range to {
			r.MayHaveArrived = complete
		}
	}
	if isOver(err) {
		return err
	}
	return nil
}

func (s *session) command(op Op, want int, line string) error {
	id, err := s.client.Text.Cmd("%s", line)
	if err == nil {
		s.client.Text.StartResponse(id)
		_, _, err = s.client.Text.ReadResponse(want)
		s.client.Text.EndResponse(id)
	}
	if err != nil {
		return s.fail(op, err)
	}
	return nil
}

// reset gives up a transaction after an error, or nil, so that another can begin.
func (s *session) reset(err error) error {
	if err != nil && isOver(err) {
		return err
	}
	return s.command(From, 250, "RSET")
}

// isOver reports whether nothing more can be said after an error: there was no
// answer, or the server closes (421).
func isOver(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Code == 0 || e.Code == 421)
}

func (s *session) fail(op Op, err error) error {
	out := &Error{Server: s.email.server, Op: op, Err: err}
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		out.Code, out.Answer, out.Err = answer.Code, singleLine(answer.Msg), nil
	} else if cause := s.cause(); cause != nil {
		out.Err = fmt.Errorf("%w: %w", cause, err)
	}
	return out
}
