package sealed

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// The check value of CRC-32C is e3069283, that of the digits 1 to 9.
func TestSum(t *testing.T) {
	if got := sum([]byte("123456789")); got != "e3069283" {
		t.Errorf("sum = %s, want e3069283", got)
	}
	data, err := Seal(2, 123456789)
	if want := `{"version":2,"crc32c":"e3069283","state":123456789}`; err != nil || string(data) != want {
		t.Errorf("Seal = %s, %v, want %s", data, err, want)
	}
}

// An envelope is read as a part of another document too, whichever way that was written.
func TestWithin(t *testing.T) {
	type state struct{ Text string }
	want := state{"<a> & \u2028 \u00e9 \xff"}
	data, err := Seal(1, want)
	if err != nil {
		t.Fatal(err)
	}
	want.Text = strings.ToValidUTF8(want.Text, "\ufffd")
	for _, escape := range []bool{false, true} {
		for _, indent := range []string{"", "\t"} {
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(escape)
			enc.SetIndent("", indent)
			if err := enc.Encode(map[string]any{"part": json.RawMessage(data)}); err != nil {
				t.Fatal(err)
			}
			var whole struct{ Part json.RawMessage }
			if err := json.Unmarshal(b.Bytes(), &whole); err != nil {
				t.Fatal(err)
			}
			got, err := Open(whole.Part, 1)
			var s state
			if err == nil {
				err = json.Unmarshal(got, &s)
			}
			if err != nil || s != want {
				t.Errorf("escape %t, indent %q: %+q, %v, want %+q", escape, indent, s, err, want)
			}
		}
	}
}

func TestDamaged(t *testing.T) {
	const state = `{"n":12,"names":["a","b"]}`
	good, err := Seal(1, json.RawMessage(state))
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range testutil.Damaged(good) {
		if got, err := Open(bad, 1); err == nil && string(got) != state {
			t.Errorf("%s: %s, want an error or what was sealed", what, got)
		}
	}
	for data, want := range map[string]string{
		`{"version":1,"n":12}`:                           "it has no state",
		`{"version":1,"crc32c":"00000000"}`:              "it has no state",
		`{"version":1,"crc32c":"147e9acc","state":null}`: "it has no state",
		`{"version":1,"state":{}}`:                       `, want ""`,
		`{"version":3,"n":12}`:                           "it has version 3, want 1",
		`{"n":12}`:                                       "it has version 0, want 1",
		`{"version":1`:                                   "its 12 bytes are no JSON",
		`[]`:                                             "its 2 bytes are no JSON of an envelope",
		strings.Replace(string(good), "12", "13", 1):     "the checksum of its state is ",
	} {
		if _, err := Open([]byte(data), 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%s) = %v, want %s", data, err, want)
		}
	}
}
