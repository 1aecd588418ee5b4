package ingest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

func TestVectors(t *testing.T) {
	testutil.OpenVectors(t, "adapters", "signatures.json").Run(t, testutil.Kinds{
		"pagerduty": signature(func(s []adapters.Secret) ingest.Verifier {
			return ingest.HMAC{Header: "X-PagerDuty-Signature", Version: "v1", Secrets: s}
		}),
		"jira": signature(func(s []adapters.Secret) ingest.Verifier {
			return ingest.HMAC{Header: "X-Hub-Signature", Version: "sha256", Secrets: s}
		}),
		"slack":   signature(func(s []adapters.Secret) ingest.Verifier { return ingest.Slack{Secrets: s} }),
		"generic": signature(func(s []adapters.Secret) ingest.Verifier { return ingest.Generic(s...) }),
	})
}

func signature(verifier func([]adapters.Secret) ingest.Verifier) func(testutil.Case) error {
	return func(c testutil.Case) error {
		var in struct {
			Secrets []string
			Headers map[string]string
			Body    *string
			Repeat  struct {
				Prefix, Char, Suffix string
				Count                int
			} `json:"body_repeat"`
			Valid bool
			Now   int64 `json:"now_unix"`
		}
		if err := c.Decode(&in); err != nil {
			return err
		}
		body := in.Repeat.Prefix + strings.Repeat(in.Repeat.Char, in.Repeat.Count) + in.Repeat.Suffix
		if in.Body != nil {
			body = *in.Body
		}
		v := verifier(secrets(in.Secrets...))
		err := v.Verify(request(body, in.Headers), []byte(body), time.Unix(in.Now, 0))
		if (err == nil) != in.Valid {
			return fmt.Errorf("Verify = %w, want valid %v", err, in.Valid)
		}
		// What can never be valid is refused at the start, too.
		if started := v.Check() == nil; started != (in.Secrets[0] != "") {
			return fmt.Errorf("Check = %w with secrets %q", v.Check(), in.Secrets)
		}
		return nil
	}
}

func secrets(texts ...string) []adapters.Secret {
	var all []adapters.Secret
	for _, text := range texts {
		all = append(all, adapters.NewSecret(text))
	}
	return all
}

func request(body string, headers map[string]string) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/hook", strings.NewReader(body))
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	return r
}

// The MACs were computed with openssl dgst -sha256 -hmac.
func TestHMAC(t *testing.T) {
	const (
		body = `{"a":1}`
		good = "v1=88a67f24bbcdaed0e6c997404bb79a743baf44c6bab2f4c27328e3009d22e342"
	)
	if got := ingest.Generic(secrets("key", "other")...).Sign([]byte(body)); got != good {
		t.Errorf("Sign = %q, want %q", got, good)
	}
	wrong := "v1=" + strings.Repeat("00", 32)
	tests := []struct {
		name   string
		values []string
		want   bool
	}{
		{"right", []string{good}, true},
		{"spaces after commas", []string{wrong + ",  " + good}, true},
		{"in a second line", []string{wrong, good}, true},
		{"the sixteenth", []string{strings.Repeat(wrong+",", 15) + good}, true},
		{"the seventeenth", []string{strings.Repeat(wrong+",", 16) + good}, false},
		{"the seventeenth, in a second line", []string{strings.Repeat(wrong+",", 16), good}, false},
		{"behind many of other versions", []string{strings.Repeat("v0=00,", 100) + good}, true},
		{"version in capitals", []string{strings.Replace(good, "v1", "V1", 1)}, false},
		{"no version", []string{strings.TrimPrefix(good, "v1=")}, false},
		{"twice the length", []string{good + strings.TrimPrefix(good, "v1=")}, false},
		{"commas alone", []string{",,,"}, false},
	}
	for _, tt := range tests {
		r := request(body, nil)
		r.Header["X-Evenkeel-Signature"] = tt.values
		if err := ingest.Generic(secrets("other", "key")...).Verify(r, []byte(body), time.Time{}); (err == nil) != tt.want {
			t.Errorf("%s: Verify = %v, want valid %v", tt.name, err, tt.want)
		}
	}
	if s := ingest.Generic().Sign(nil); s != "" {
		t.Errorf("Sign without a secret = %q, want none", s)
	}
}

// TestSlack: the window is 300 s each way, both ends included.
func TestSlack(t *testing.T) {
	const (
		body, at = "payload=x", 1795325400
		// The MAC of "v0:1795325400:payload=x" under "key", by openssl as above.
		signed = "v0=ad7162e65986f2d19176a20740873fc3392ec0bc801a221717c0b2c2ae367092"
	)
	tests := []struct {
		name      string
		stamp     string
		now       int64
		tolerance time.Duration
		want      bool
	}{
		{"now", "1795325400", at, 0, true},
		{"300 s old", "1795325400", at + 300, 0, true},
		{"301 s old", "1795325400", at + 301, 0, false},
		{"300 s ahead", "1795325400", at - 300, 0, true},
		{"301 s ahead", "1795325400", at - 301, 0, false},
		{"a narrower window", "1795325400", at + 11, 10 * time.Second, false},
		{"another timestamp", "1795325401", at, 0, false},
		{"no number", "now", at, 0, false},
		{"no timestamp", "", at, 0, false},
		{"negative", "-1795325400", at, 0, false},
		{"beyond all time", "9223372036854775807", at, 0, false},
	}
	for _, tt := range tests {
		v := ingest.Slack{Secrets: secrets("key"), Tolerance: tt.tolerance}
		r := request(body, map[string]string{"X-Slack-Signature": signed, "X-Slack-Request-Timestamp": tt.stamp})
		if err := v.Verify(r, []byte(body), time.Unix(tt.now, 0)); (err == nil) != tt.want {
			t.Errorf("%s: Verify = %v, want valid %v", tt.name, err, tt.want)
		}
	}
}

func TestAuthorization(t *testing.T) {
	basic := func(name, password string) http.Header {
		r := request("", nil)
		r.SetBasicAuth(name, password)
		return r.Header
	}
	bearer := func(text string) http.Header { return http.Header{"Authorization": {text}} }
	b, p := ingest.Bearer(secrets("old", "new")), ingest.Basic{Name: "am", Passwords: secrets("old", "new")}
	tests := []struct {
		name     string
		verifier ingest.Verifier
		header   http.Header
		want     bool
	}{
		{"token", b, bearer("Bearer new"), true},
		{"older token, scheme in small letters", b, bearer("bearer old"), true},
		{"other token", b, bearer("Bearer ne"), false},
		{"no token", b, bearer("Bearer "), false},
		{"other scheme", b, bearer("Basic new"), false},
		{"nothing", b, nil, false},
		{"password", p, basic("am", "new"), true},
		{"older password", p, basic("am", "old"), true},
		{"other name", p, basic("pm", "new"), false},
		{"other password", p, basic("am", "newer"), false},
		{"no password", p, basic("am", ""), false},
		{"no header", p, nil, false},
		{"an empty token among them", ingest.Bearer(secrets("new", "")), bearer("Bearer new"), false},
		{"an empty password", ingest.Basic{Name: "am", Passwords: secrets("")}, basic("am", ""), false},
		{"no passwords", ingest.Basic{Name: "am"}, basic("am", ""), false},
	}
	for _, tt := range tests {
		r := request("", nil)
		if tt.header != nil {
			r.Header = tt.header
		}
		if err := tt.verifier.Verify(r, nil, time.Time{}); (err == nil) != tt.want {
			t.Errorf("%s: Verify = %v, want valid %v", tt.name, err, tt.want)
		}
	}
}

func TestCertificate(t *testing.T) {
	chains := [][]*x509.Certificate{{{Subject: pkix.Name{CommonName: "am-1"}, DNSNames: []string{"am.example"}}}}
	v := func(names ...string) ingest.Certificate { return ingest.Certificate{Names: names} }
	tests := []struct {
		name     string
		verifier ingest.Certificate
		state    *tls.ConnectionState
		want     bool
	}{
		{"common name", v("am-1"), &tls.ConnectionState{VerifiedChains: chains}, true},
		{"DNS name", v("other", "am.example"), &tls.ConnectionState{VerifiedChains: chains}, true},
		{"another", v("other"), &tls.ConnectionState{VerifiedChains: chains}, false},
		{"not verified", v("am-1"), &tls.ConnectionState{PeerCertificates: chains[0]}, false},
		{"no TLS", v("am-1"), nil, false},
		{"no names", v(), &tls.ConnectionState{VerifiedChains: chains}, false},
	}
	for _, tt := range tests {
		r := request("", nil)
		r.TLS = tt.state
		err := tt.verifier.Verify(r, nil, time.Time{})
		if (err == nil) != tt.want || errors.Is(err, ingest.ErrForbidden) != (tt.name == "another") {
			t.Errorf("%s: Verify = %v, want valid %v", tt.name, err, tt.want)
		}
	}
}

// FuzzVerify: nothing but the right MAC in the header makes a body valid, and it
// does so whatever stands around it.
func FuzzVerify(f *testing.F) {
	f.Add("v1=00,v2=zz", []byte(`{}`), "1795325400", "x")
	f.Add(" , =,v1=", []byte(nil), "-1", "\x00")
	f.Fuzz(func(t *testing.T, header string, body []byte, stamp, key string) {
		v := ingest.Generic(secrets(key)...)
		right := v.Sign(body)
		r := request("", nil)
		r.Header["X-Evenkeel-Signature"] = []string{header}
		r.Header["X-Slack-Signature"] = []string{header}
		r.Header["X-Slack-Request-Timestamp"] = []string{stamp}
		now := time.Unix(1795325400, 0)
		if err := v.Verify(r, body, now); err == nil && (key == "" || !strings.Contains(strings.ToLower(header), right)) {
			t.Fatalf("%q is valid for %q under %q", header, body, key)
		}
		if err := (ingest.Slack{Secrets: secrets(key)}).Verify(r, body, now); err == nil {
			unix, err := strconv.ParseInt(stamp, 10, 64)
			if err != nil || now.Sub(time.Unix(unix, 0)).Abs() > 300*time.Second || !strings.Contains(header, "v0=") {
				t.Fatalf("%q at %q is valid", header, stamp)
			}
		}
		if key == "" {
			return
		}
		r.Header["X-Evenkeel-Signature"] = []string{"v9=" + strings.ReplaceAll(header, "v1", "v9") + " , " + right}
		if err := v.Verify(r, body, now); err != nil {
			t.Fatalf("the right one behind %q: %v", header, err)
		}
	})
}
