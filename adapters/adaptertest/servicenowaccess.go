package adaptertest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

type snowToken struct {
	user    string
	client  string
	refresh bool
	expires time.Time
}

// user returns who a request is from.
func (s *ServiceNow) user(r *http.Request) (string, bool) {
	if key := r.Header.Get("x-sn-apikey"); key != "" {
		name, ok := s.options.APIKeys[key]
		return name, ok
	}
	if len(s.options.Users)+len(s.options.Clients)+len(s.options.APIKeys) == 0 {
		return "evenkeel", true
	}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		token, ok := s.tokens[bearer]
		return token.user, ok && !token.refresh && s.options.Now().Before(token.expires)
	}
	name, password, ok := r.BasicAuth()
	want, known := s.options.Users[name]
	return name, ok && known && password == want
}

// token gives out tokens as /oauth_token.do: for a password, a refresh token, and,
// if that is on, for the credentials of the client alone.
func (s *ServiceNow) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(code string) {
		snowWrite(w, http.StatusUnauthorized, map[string]string{"error": code, "error_description": "access_denied"})
	}
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		refuse("invalid_request")
		return
	}
	client, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if name, password, ok := r.BasicAuth(); ok {
		client, secret = name, password
	}
	if want, known := s.options.Clients[client]; !known || want != secret {
		refuse("invalid_client")
		return
	}
	user := ""
	switch grant := r.PostForm.Get("grant_type"); {
	case grant == "password":
		user = r.PostForm.Get("username")
		if want, known := s.options.Users[user]; !known || want != r.PostForm.Get("password") {
			refuse("invalid_grant")
			return
		}
	case grant == "refresh_token":
		token, known := s.tokens[r.PostForm.Get("refresh_token")]
		if !known || !token.refresh || token.client != client || !s.options.Now().Before(token.expires) {
			refuse("invalid_grant")
			return
		}
		user = token.user
	case grant == "client_credentials" && s.options.ClientCredentials:
		user = client
	default:
		refuse("unsupported_grant_type")
		return
	}
	s.logins++
	access, refresh := fmt.Sprintf("access-token-%d", s.logins), fmt.Sprintf("refresh-token-%d", s.logins)
	now := s.options.Now()
	s.tokens[access] = snowToken{user: user, client: client, expires: now.Add(s.options.TokenLife)}
	s.tokens[refresh] = snowToken{user: user, client: client, refresh: true, expires: now.Add(100 * 24 * time.Hour)}
	snowWrite(w, http.StatusOK, map[string]any{
		"access_token": access, "refresh_token": refresh, "scope": "useraccount", "token_type": "Bearer",
		"expires_in": int(s.options.TokenLife / time.Second),
	})
}

// Expire ends all access tokens now, as an administrator may.
func (s *ServiceNow) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, token := range s.tokens {
		if !token.refresh {
			delete(s.tokens, name)
		}
	}
}

// snowFlush is how often counters of requests are written; until then an instance
// does not know of them.
const snowFlush = 30 * time.Second

// snowCount are the requests of a user in an hour.
type snowCount struct {
	hour    time.Time
	written int // known to the limit
	pending int
	flushed time.Time
}

// admit counts a request. The limit bites late, because counters are written every
// 30 s: "requests may exceed the limit until the counts are updated".
func (s *ServiceNow) admit(w http.ResponseWriter, user string) bool {
	if s.options.PerHour <= 0 {
		return true
	}
	now := s.options.Now()
	hour := now.Truncate(time.Hour)
	c := s.counted[user]
	if c == nil || !c.hour.Equal(hour) {
		c = &snowCount{hour: hour, flushed: now}
		s.counted[user] = c
	}
	if now.Sub(c.flushed) >= snowFlush {
		c.written, c.pending, c.flushed = c.written+c.pending, 0, now
	}
	reset := hour.Add(time.Hour)
	w.Header().Set("X-RateLimit-Limit", strconv.Itoa(s.options.PerHour))
	w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	w.Header().Set("X-RateLimit-Rule", s.options.Rule)
	if c.written >= s.options.PerHour {
		w.Header().Set("Retry-After", strconv.Itoa(int(reset.Sub(now)/time.Second)+1))
		snowFail(w, http.StatusTooManyRequests, "Rate limit exceeded", "Rejected by rule "+s.options.Rule)
		return false
	}
	c.pending++
	return true
}
