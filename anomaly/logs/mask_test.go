package logs

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// mask returns the line with each token as the template of the line alone has it,
// one blank between.
func mask(line string) string {
	var s scanner
	s.line(line, 1<<20)
	parts := make([]string, len(s.tokens))
	for i := range s.tokens {
		parts[i] = s.tokens[i].element().String()
	}
	return strings.Join(parts, " ")
}

func TestMasks(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"", ""},
		{" \t\r\n", ""},
		{"plain words", "plain words"},
		// Numbers, with sign, decimals and unit.
		{"took 12 and -1.5 and +3e-4", "took <num> and <num> and <num>"},
		{"12ms 1.2GiB 80% 16MB/s 53m1s 1.16.20 329C", "<num> <num> <num> <num> <num> <num> <num>"},
		{"size 7918 bytes done", "size <num> done"},
		{"in 5 seconds", "in <num>"},
		{"1,234,567 rows", "<num> rows"},
		{"a 1,2 b", "a <num> , <num> b"},
		{"of 15.", "of <num> ."},
		{"eth17 x86_64 v2beta", "eth17 x86_64 v2beta"},
		// Addresses.
		{"from 10.0.0.1:8080 to 192.168.0.0/16", "from <ip> to <ip>"},
		{"from 10.0.0.256 x", "from <num> x"},
		{"from fe80::1%eth0 or ::1 or 2001:db8:0:0:0:0:0:1", "from <ip> or <ip> or <ip>"},
		{"mac 00:1b:44:11:3a:b7 or 00-1B-44-11-3A-B7", "mac <mac> or <mac>"},
		// Identifiers.
		{"id 05dce0d2-205a-c957-0e06-741296293af2 x", "id <uuid> x"},
		{"p 0x8e5a7e5d and 13576d80", "p <hex> and <hex>"},
		{"deadbeef is a word, facade too", "deadbeef is a word , facade too"},
		// Times.
		{"2026-11-10T09:51:45Z up", "<time> up"},
		{"2026-11-10 09:51:45,123 up", "<time> up"},
		{"2026/11/10 09:51:45.123+02:00 up", "<time> up"},
		{"20:15:00.5 up", "<time> up"},
		{"Nov 30 15:22:01 host up", "<time> host up"},
		{"[Sun Dec 04 04:47:44 2005] [notice] up", "[ <time> ] [ notice ] up"},
		{"[10/Oct/2000:13:55:36 -0700] up", "[ <time> ] up"},
		{"Mar the dog", "Mar the dog"},
		// Names.
		{"open /var/log/x.log: no such file", "open <path> : no such file"},
		{"GET https://example.org:8443/a?b=c done", "GET <path> done"},
		{"image registry.local/auth:3.6.1 pulled", "image <path> pulled"},
		{"i/o timeout, n/a", "i/o timeout , n/a"},
		{"on web-a1.prod.internal now", "on <host> now"},
		{"main.go:123 says", "<host> says"},
		{"java.io.IOException: closed", "java.io.IOException : closed"},
		// Brackets and quotes.
		{"batch [24, 11] done", "batch <list> done"},
		{"[main] up", "[ main ] up"},
		{`say "42 cable" now`, "say <str> now"},
		{`say "a \" b" now`, "say <str> now"},
		{`say "open`, `say " open`},
		{"user 'bob jones' isn't", "user <str> isn't"},
		{"a=b(c):d,e", "a = b ( c ) : d , e"},
		// Whole lines by key.
		{`level=info msg=compacted blocks=15 err="red coat" empty=`, "level = info msg = compacted blocks = <num> err = <str> empty = <str>"},
		{`level=info and words`, "level = info and words"},
		{
			`{"level":"warn","msg":"user bob in 5s","n":3,"ok":true,"a":[1,{"b":2}],"o":{"k":null}}`,
			"{ level : warn msg : user bob in <num> n : <num> ok : <val> a : <list> o : { k : <val> } }",
		},
		{`{"broken`, `{ " broken`},
	} {
		if got := mask(tt.line); got != tt.want {
			t.Errorf("mask(%q) = %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestAddressesLikeNetip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200_000 {
		var b strings.Builder
		for range 1 + r.IntN(12) {
			b.WriteString([]string{":", ":", "::", "0", "1f", "abcd", "00001", "ffff", "9"}[r.IntN(9)])
		}
		s := b.String()
		addr, err := netip.ParseAddr(s)
		want := err == nil && addr.Is6() && s != "::" // no group at all counts as signs
		if got := address6(s, 0) == len(s); got != want {
			t.Fatalf("address6(%q) = %v, netip.ParseAddr says %v", s, got, want)
		}
	}
	for range 100_000 {
		var b strings.Builder
		for i := range 3 + r.IntN(3) {
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString([]string{"0", "7", "42", "255", "256", "1000", ""}[r.IntN(7)])
		}
		s := b.String()
		addr, err := netip.ParseAddr(s)
		if got, want := address4(s, 0) == len(s), err == nil && addr.Is4(); got != want {
			t.Fatalf("address4(%q) = %v, netip.ParseAddr says %v", s, got, want)
		}
	}
}

func TestTimestampsOfTheTimePackage(t *testing.T) {
	at := time.Date(2026, 2, 3, 4, 5, 6, 789_000_000, time.FixedZone("", 5400))
	for _, layout := range []string{
		time.RFC3339, time.RFC3339Nano, time.DateTime, time.DateOnly, time.TimeOnly, time.Stamp, time.StampMilli, time.ANSIC,
		"2006/01/02 15:04:05", "02/Jan/2006:15:04:05 -0700", "2006-01-02 15:04:05,000",
	} {
		text := at.Format(layout)
		if got := mask(text + " up"); got != "<time> up" {
			t.Errorf("mask(%q) = %q, want <time> up", text+" up", got)
		}
	}
}

func TestQuantities(t *testing.T) {
	for _, tt := range []struct {
		text string
		want float64
		unit string
	}{
		{"12", 12, ""},
		{"-1.5", -1.5, ""},
		{"1.5s", 1.5, "s"},
		{"250ms", 0.25, "s"},
		{"53m1s", 3181, "s"},
		{"-1m30s", -90, "s"},
		{"2 minutes", 120, "s"},
		{"7918 bytes", 7918, "B"},
		{"2KB", 2000, "B"},
		{"2KiB", 2048, "B"},
		{"80%", 80, ""},
	} {
		x, unit, ok := quantity(tt.text)
		if !ok || x-tt.want > 1e-9 || tt.want-x > 1e-9 || units[unit] != tt.unit {
			t.Errorf("quantity(%q) = %v %q %v, want %v %q", tt.text, x, units[unit], ok, tt.want, tt.unit)
		}
	}
	for _, text := range []string{"", "1.16.20", "m", "5x3", "1e999"} {
		if x, _, ok := quantity(text); ok {
			t.Errorf("quantity(%q) = %v, want none", text, x)
		}
	}
}

func TestRedact(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"user bob from 10.0.0.1  port 22", "user bob from <ip>  port <num>"},
		{"key sk4f9a2 for /home/bob", "key <code> for <path>"},
		{"password=hunter and token: abc-def, ok", "password=<secret> and token: <secret>, ok"},
		{"Authorization: Bearer abc.def.ghi", "Authorization: <secret> <secret>"},
		{`{"msg":"card 4111 1111","user":"bob"}`, `{"msg":"card <num> <num>","user":"<str>"}`},
		{`api_key=xyz level=info msg="in 5s"`, `api_key=<secret> level=info msg="in <num>"`},
		{"\x00\xff 5", "\x00\xff <num>"},
	} {
		if got := Redact(tt.line); got != tt.want {
			t.Errorf("Redact(%q) = %q, want %q", tt.line, got, tt.want)
		}
	}
	// Nothing of a long line is left out.
	long := strings.Repeat("10.0.0.1 ", 100_000)
	if got, want := Redact(long), strings.Repeat("<ip> ", 100_000); got != want {
		t.Errorf("Redact of %d bytes leaves %d, want %d", len(long), len(got), len(want))
	}
}
