package servicenow

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestRecordReadsAllFormsOfValues(t *testing.T) {
	var r Record
	text := `{"a":"x","b":7,"c":true,"d":null,"e":{"link":"https://i/api","value":"1234"},"f":""}`
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]string{"a": "x", "b": "7", "c": "true", "d": "", "e": "1234", "f": ""} {
		if r[column] != want {
			t.Errorf("%s = %q, want %q", column, r[column], want)
		}
	}
	for _, bad := range []string{`[]`, `{"a":[1]}`, `{"a":{"link":"x"}}`, `"x"`, `null`} {
		if err := json.Unmarshal([]byte(bad), &r); err == nil && bad != "null" {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  time.Duration
		known bool
	}{
		{"1970-01-01 00:02:17", 137 * time.Second, true}, // the sample of the Table API
		{"1970-01-02 00:00:00", 24 * time.Hour, true},
		{"1969-12-31 23:59:59", -time.Second, true},
		{"", 0, false},
	} {
		got, known, err := ParseDuration(c.text)
		if err != nil || got != c.want || known != c.known {
			t.Errorf("ParseDuration(%q) = %v, %v, %v, want %v, %v", c.text, got, known, err, c.want, c.known)
		}
	}
	for _, bad := range []string{"137", "00:02:17", "9999-01-01 00:00:00", "1970-01-01T00:02:17Z"} {
		if _, _, err := ParseDuration(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestDefuse(t *testing.T) {
	for in, want := range map[string]string{
		"plain [text] here":             "plain [text] here",
		"[code]<b>x</b>[/code]":         "[\u200bcode]<b>x</b>[\u200b/code]",
		"[CODE]<script>[/Code] [[code]": "[\u200bCODE]<script>[\u200b/Code] [[\u200bcode]",
	} {
		if got := defuse(in); got != want {
			t.Errorf("defuse(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"a":"x","b":7,"c":{"value":"1"},"d":null}`))
	f.Add([]byte(`{"a":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Record
		if json.Unmarshal(data, &r) != nil {
			return
		}
		text, err := json.Marshal(map[string]string(r))
		if err != nil {
			t.Fatal(err)
		}
		var again Record
		if err := json.Unmarshal(text, &again); err != nil || len(again) != len(r) {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

func FuzzTime(f *testing.F) {
	f.Add("2026-11-30 19:07:23")
	f.Add("1970-01-01 00:02:17")
	f.Fuzz(func(t *testing.T, text string) {
		if at, err := ParseTime(text); err == nil && !at.IsZero() {
			if again, err := ParseTime(FormatTime(at)); err != nil || !again.Equal(at.Truncate(time.Second)) {
				t.Fatalf("%q is %v, then %v, %v", text, at, again, err)
			}
		}
		_, _, _ = ParseDuration(text)
		if p, err := parsePlace(text); err == nil && text != "" {
			if again, err := parsePlace(p.String()); err != nil || again != p {
				t.Fatalf("cursor %q is %v, then %v, %v", text, p, again, err)
			}
		}
	})
}

// A note comes back as it was, whatever it says.
func FuzzMarker(f *testing.F) {
	f.Add("text", "key")
	f.Add("a\n[evenkeel note x]", "")
	f.Fuzz(func(t *testing.T, text, key string) {
		if key == "" || strings.ContainsAny(key, "[]\r\n") || strings.TrimSpace(key) != key {
			return
		}
		got, gotKey := unmark(text + "\n" + marker(key))
		if got != text || gotKey != key {
			t.Fatalf("%q with %q came back as %q with %q", text, key, got, gotKey)
		}
	})
}
