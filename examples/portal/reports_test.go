package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/mail"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/adapters/report/dispatch"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
	"github.com/evenkeelops/evenkeel/sla"
)

// mailServer takes mail over SMTP without TLS, or hangs before it says that it did.
type mailServer struct {
	l    net.Listener
	hung chan string // ids of mail that got no answer
	got  chan posted

	mu    sync.Mutex
	hangs bool
}

type posted struct{ id, to, subject string }

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{l: l, hung: make(chan string, 100), got: make(chan posted, 100)}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.talk(c)
		}
	}()
	return s
}

func (s *mailServer) port() string {
	return strconv.Itoa(s.l.Addr().(*net.TCPAddr).Port)
}

func (s *mailServer) hang(hangs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hangs = hangs
}

// talk is RFC 5321 as far as the portal needs it.
func (s *mailServer) talk(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	say := func(text string) { _, _ = io.WriteString(c, text+"\r\n") }
	say("220 mail.example")
	to := ""
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "EHLO", "HELO":
			say("250 mail.example")
		case "RCPT":
			to = line[strings.IndexByte(line, '<')+1 : strings.IndexByte(line, '>')]
			say("250 ok")
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text.WriteString(line)
			}
			m, err := mail.ReadMessage(strings.NewReader(text.String()))
			if err != nil {
				say("554 no mail")
				return
			}
			id := m.Header.Get("Message-ID")
			s.mu.Lock()
			hangs := s.hangs
			s.mu.Unlock()
			if hangs {
				s.hung <- id
				_, _ = io.Copy(io.Discard, r) // until the other side is gone
				return
			}
			s.got <- posted{id, to, m.Header.Get("Subject")}
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// next waits for n mails whose ids are not known yet, and notes them. What a portal was
// told and did not note before it died may come a second time, with the id it had.
func (s *mailServer) next(t *testing.T, n int, known map[string]bool) []posted {
	t.Helper()
	var all []posted
	for len(all) < n {
		select {
		case l := <-s.got:
			if !known[l.id] {
				all, known[l.id] = append(all, l), true
			}
		case <-time.After(2 * time.Minute):
			t.Fatalf("%d of %d mails after two minutes: %v", len(all), n, all)
		}
	}
	return all
}

// A portal that is killed while a mail server has a report and has not said so sends it
// again when it runs again, with the same id, and every report reaches each of the three
// roles once. Evidence that comes later sends nothing, and a correction is sent once.
func TestReportsAreSentOnce(t *testing.T) {
	server, dir := newMailServer(t), t.TempDir()
	files := own("lemon")
	files["portal.yaml"] = strings.Replace(files["portal.yaml"], "tenants:\n", "mail: {host: 127.0.0.1, port: "+server.port()+", from: ops@msp.example, security: none}\ntenants:\n", 1)
	files["portal.yaml"] = strings.Replace(files["portal.yaml"], "incidents: incidents.csv}", "incidents: incidents.csv,\n"+
		"     reports: {kinds: [monthly_report, executive_report], recipients: {customer_stakeholders: [it@first.example], account_manager: [am@msp.example], service_delivery_manager: [sdm@msp.example]}}}", 1)
	for name, text := range files {
		files[name] = strings.ReplaceAll(text, "2026-", "2025-") // the clock of the outbox is that of the machine, which is later
	}
	put(t, dir, files)
	args := []string{"-config", filepath.Join(dir, "portal.yaml"), "-reports", filepath.Join(dir, "reports.db"), "-now", "2025-11-03T09:00:00Z", "-v"}

	server.hang(true)
	first := serve(t, args...)
	lost := <-server.hung
	first.kill()

	server.hang(false)
	second := serve(t, args...)
	known := map[string]bool{}
	var got []string
	for _, l := range server.next(t, 6, known) {
		got = append(got, l.to+": "+l.subject)
	}
	second.kill()
	slices.Sort(got)
	var want []string
	for _, to := range []string{"am@msp.example", "it@first.example", "sdm@msp.example"} {
		want = append(want, to+": Executive report 2025-09 to 2025-10", to+": Service report 2025-10") // nothing was measured before September
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if !known[lost] {
		t.Errorf("the mail %s that was lost did not come again", lost)
	}

	// An outage is put on record later. What was sent stays; what comes is the correction.
	files["first.csv"] += "api-first,2025-10-05T00:00:00Z,2025-10-05T05:00:00Z,down\n"
	put(t, dir, files)
	args = append(args, "-correct", "first/monthly_report/2025-10/1")
	third := serve(t, args...)
	for _, l := range server.next(t, 3, known) {
		if l.subject != "Service report 2025-10, correction 1" {
			t.Errorf("%s was sent %q", l.to, l.subject)
		}
	}
	third.stop()
	fourth := serve(t, append(args[:len(args)-1:len(args)-1], "first/monthly_report/2025-10/2")...)
	for _, l := range server.next(t, 3, known) { // the next to come, so the first one did not come again
		if l.subject != "Service report 2025-10, correction 2" {
			t.Errorf("%s was sent %q", l.to, l.subject)
		}
	}
	fourth.stop()
}

func TestReportFlags(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, own("lemon"))
	for _, c := range []struct{ args, want string }{
		{"-reports r.db -static site", "-reports and -static"},
		{"-reports r.db -db r.db", "-reports: want another file"},
		{"-correct first/monthly_report/2025-10/1", "-correct: want -reports"},
		{"-reports r.db -correct first/daily/2025-10/1", "want customer, kind, period and number"},
		{"-reports r.db", "has no mail"},
	} {
		args := append(strings.Fields(c.args), "-config", filepath.Join(dir, "portal.yaml"))
		for i, a := range args {
			if a == "r.db" {
				args[i] = filepath.Join(dir, a)
			}
		}
		if r := programtest.Run(t, nil, nil, args...); r.Exit != 2 || !strings.Contains(r.Stderr, c.want) {
			t.Errorf("%s: exit %d, %q, want 2 and %q", c.args, r.Exit, r.Stderr, c.want)
		}
	}
}

// loaded reads files as the program does.
func loaded(t *testing.T, files map[string]string, log *slog.Logger) (*inputs, *program.Env) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, files)
	env := &program.Env{Context: t.Context(), Config: filepath.Join(dir, "portal.yaml"), Now: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC), Stated: true, Log: log}
	in, err := (&options{reports: "r.db", requests: "q.db"}).load(env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.close)
	return in, env
}

// A contract that ends within a quarter is reviewed for the months in which it was in
// force; a period in which it never was has no report.
func TestContractThatEnds(t *testing.T) {
	files := own("lemon")
	files["first.yaml"] = strings.Replace(files["first.yaml"], "evidence_from: 2026-09-01", "evidence_from: 2026-04-01", 1)
	in, _ := loaded(t, files, slog.New(slog.DiscardHandler))
	draw := func(kind dispatch.Kind, at time.Time) (report.Document, error) {
		r := in.reading(in.portal.Tenants[0])
		if err := r.agree(); err != nil {
			t.Fatal(err)
		}
		c := r.contract.Contract()
		c.Until = time.Date(2026, 8, 20, 0, 0, 0, 0, time.UTC)
		var err error
		if r.contract.Agreement, err = sla.Compile(c); err != nil {
			t.Fatal(err)
		}
		return r.drawn(dispatch.Due{Customer: "first", Kind: kind, Period: kind.PeriodAt(at, time.UTC)})
	}
	july, september, october := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		kind  dispatch.Kind
		at    time.Time
		title string // "" for no report
	}{
		{dispatch.QuarterlyReview, july, "Quarterly business review 2026-07 to 2026-08"},
		{dispatch.QuarterlyReview, october, ""},
		{dispatch.MonthlyReview, september, ""},
		{dispatch.MonthlyReport, september, ""},
		{dispatch.MonthlyReport, july.AddDate(0, 1, 0), "Service report 2026-08"},
	} {
		d, err := draw(c.kind, c.at)
		if d.Title != c.title || errors.Is(err, dispatch.ErrNoReport) != (c.title == "") || err != nil && c.title != "" {
			t.Errorf("%s of %s: %q, %v, want %q", c.kind, c.at.Format(time.DateOnly), d.Title, err, c.title)
		}
	}
}

const recipients = "recipients: {customer_stakeholders: [it@first.example], account_manager: [am@msp.example], service_delivery_manager: [sdm@msp.example]}"

// What a customer does not see is not mailed to it either; a cut-off of zero is none.
func TestDisabledIsNotSent(t *testing.T) {
	files := own("lemon")
	files["portal.yaml"] = strings.Replace(files["portal.yaml"], "incidents: incidents.csv}", "incidents: incidents.csv, disabled: [report, review-quarterly],\n     reports: {cut_off: 0s, "+recipients+"}}", 1)
	in, _ := loaded(t, files, slog.New(slog.DiscardHandler))
	list := in.recipients(slog.New(slog.DiscardHandler))
	want := []dispatch.Kind{dispatch.WeeklyReview, dispatch.MonthlyReview, dispatch.ExecutiveReport}
	if len(list) != 1 || !sameKinds(list[0].Kinds, want) || list[0].CutOff == nil || *list[0].CutOff != 0 {
		t.Errorf("recipients %+v, want the kinds %v and no cut-off", list, want)
	}
}

func sameKinds(a, b []dispatch.Kind) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// What is used after a restart alone is said at each change, and not when it is as it runs.
func TestRestartIsAskedFor(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	files := own("lemon")
	const requests = "requests: {webhook: {url: 'https://desk.example/in', secret: hush}}\n"
	const mail = "mail: {host: smtp.example, from: ops@msp.example}\n"
	before := strings.Replace(files["portal.yaml"], "tenants:\n", requests+mail+"tenants:\n", 1)
	files["portal.yaml"] = before
	in, env := loaded(t, files, log)
	w := watched(t, in, env)
	for _, c := range []struct {
		name, old, text string
		keys            []string // of the warnings
	}{
		{"nothing", "", "", nil},
		{"requests", "https://desk.example/in", "https://desk.example/other", []string{"requests"}},
		{"requests once more", "https://desk.example/in", "https://desk.example/third", []string{"requests"}},
		{"back to what runs", "", "", nil},
		{"mail and no requests", requests + "mail: {host: smtp", "mail: {host: other", []string{"requests", "mail"}},
		{"addresses", "listen: 127.0.0.1:0", "listen: 127.0.0.1:1\nadmin_listen: 127.0.0.1:2", []string{"listen", "admin_listen"}},
	} {
		said.Reset()
		put(t, filepath.Dir(env.Config), map[string]string{"portal.yaml": strings.Replace(before, c.old, c.text, 1)})
		w.reconfigure(t.Context(), false)
		var keys []string
		for _, m := range regexp.MustCompile(`level=WARN msg="[^"]*after a restart" key=(\w+)`).FindAllStringSubmatch(said.String(), -1) {
			keys = append(keys, m[1])
		}
		slices.Sort(keys)
		slices.Sort(c.keys)
		if !slices.Equal(keys, c.keys) || strings.Contains(said.String(), "ERROR") {
			t.Errorf("%s: warnings of %v, want %v\n%s", c.name, keys, c.keys, said.String())
		}
	}
}
