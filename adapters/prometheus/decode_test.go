package prometheus

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// decoded is an answer in a form that compares.
type decoded struct {
	Envelope envelope
	Kind     ResultType
	Text     string
	Series   []decodedSeries
}

type decodedSeries struct {
	Labels     Labels
	Points     []string // time and bits of the value
	Histograms []Histogram
}

func decodeAll(r io.Reader) (d decoded, err error) {
	d.Envelope, err = newDecoder(r).answer(sink{
		kind: func(t ResultType) error { d.Kind = t; return nil },
		open: func(l Labels) error {
			d.Series = append(d.Series, decodedSeries{Labels: l})
			return nil
		},
		point: func(milli int64, v float64) error {
			s := &d.Series[len(d.Series)-1]
			s.Points = append(s.Points, strconv.FormatInt(milli, 10)+" "+strconv.FormatUint(math.Float64bits(v), 16))
			return nil
		},
		hist: func(h Histogram) error {
			s := &d.Series[len(d.Series)-1]
			s.Histograms = append(s.Histograms, h)
			return nil
		},
		text: func(s string) { d.Text = s },
	})
	return d, err
}

// seeds are answers with all forms that the API has.
var seeds = []string{
	`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1795326186.500,"1"],[1795326188,"NaN"],[-1.5,"-1e-7"],[1e3,"+Inf"]]}]},"warnings":["w"],"infos":["i"]}`,
	`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"x","é":"日\n\u00e9\ud83d\ude00\ud800"},"value":[0,"12345678901234567890"]}]}}`,
	`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1.5,{"count":"10","sum":"3.5","buckets":[[0,"-1","1","2"]]}]}]}}`,
	`{"status":"success","data":{"resultType":"scalar","result":[1,"3"]}}`,
	`{"status":"success","data":{"resultType":"string","result":[1,"x"],"stats":{"a":[1,true,null,false,{}]}}}`,
	`{"status":"error","errorType":"bad_data","error":"no","data":null}`,
	" {\n\"status\" : \"success\" , \"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},\"values\":[ [ 1 , \"1\" ] ,[2,\"2\"] ]}]}}\n",
	`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[01,"1"]]}]}}`,
}

// FuzzDecode compares with encoding/json, whatever the pieces are in which a body
// arrives: what is accepted is JSON and means the same.
func FuzzDecode(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeAll(strings.NewReader(string(body)))
		slow, slowErr := decodeAll(iotest.OneByteReader(strings.NewReader(string(body))))
		if (err == nil) != (slowErr == nil) || err == nil && !reflect.DeepEqual(got, slow) {
			t.Fatalf("%q = %+v, %v at once and %+v, %v byte by byte", body, got, err, slow, slowErr)
		}
		if err != nil {
			if d, ok := errors.AsType[*DecodeError](err); !ok || d.Offset < 0 || d.Offset > int64(len(body)) {
				t.Fatalf("%q: %v, want a DecodeError inside %d bytes", body, err, len(body))
			}
			return
		}
		var want struct {
			Status, ErrorType, Error string
			Data                     struct {
				ResultType string
				Result     json.RawMessage
			}
		}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("%q was accepted, encoding/json says %v", body, err)
		}
		if strings.Count(strings.ToLower(string(body)), `"result`) > 2 || strings.Contains(string(body), `\u`) {
			return // encoding/json folds case and takes the last of two
		}
		if want.Status != got.Envelope.status && strings.Count(strings.ToLower(string(body)), `"status"`) == 1 {
			t.Fatalf("%q: status %q, want %q", body, got.Envelope.status, want.Status)
		}
		if got.Kind == Matrix && len(want.Data.Result) > 0 {
			var series []struct{ Values [][]json.RawMessage }
			if json.Unmarshal(want.Data.Result, &series) != nil || strings.Count(strings.ToLower(string(body)), `"values"`) != len(series) {
				return
			}
			for i, s := range series {
				if len(s.Values) != len(got.Series[i].Points) {
					t.Fatalf("%q: series %d has %d points, want %d", body, i, len(got.Series[i].Points), len(s.Values))
				}
				for j, v := range s.Values {
					comparePoint(t, got.Series[i].Points[j], v)
				}
			}
		}
	})
}

// comparePoint compares a point with its JSON, read by strconv.
func comparePoint(t *testing.T, got string, want []json.RawMessage) {
	t.Helper()
	var at float64
	var text string
	if err := errors.Join(json.Unmarshal(want[0], &at), json.Unmarshal(want[1], &text)); err != nil {
		t.Fatal(err)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("the value %q was accepted: %v", text, err)
	}
	milli, value, _ := strings.Cut(got, " ")
	ms, err := strconv.ParseInt(milli, 10, 64)
	if err != nil || math.Abs(float64(ms)-1000*at) > 1.01 { // cut, and the float is rounded
		t.Fatalf("time %s, want %v s", milli, at)
	}
	if wanted := strconv.FormatUint(math.Float64bits(v), 16); value != wanted && !math.IsNaN(v) {
		t.Fatalf("value %s of %s, want %s", value, text, wanted)
	}
}

// TestDecodeFloat compares the fast readers with strconv.
func TestDecodeFloat(t *testing.T) {
	for _, text := range []string{
		"0", "-0", "1", "0.1", "123456789012345", "0.30000000000000004", "1.7976931348623157e+308", "5e-324",
		"9007199254740993", "123456.789012345", "0.5000000000000001110", "0.5000000000000000555", "1.0000000000000000000", "9223372036854775807", "18446744073709551616",
		"9999999999999999999", "0.9999999999999999999", "9007199254740993.0", "9007199254740992.999", "4503599627370497.5", "4503599627370496.5", "4503599627370496.50001",
		"123456789012345678901.5", "00.10", "0.0", "-99999.9999999999", "0.000000000000001", "1.5e+06", "1e-07",
	} {
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		d, err := decodeAll(strings.NewReader(`{"status":"success","data":{"resultType":"scalar","result":[1.234,"` + text + `"]}}`))
		if wanted := "1234 " + strconv.FormatUint(math.Float64bits(want), 16); err != nil || len(d.Series) != 1 || d.Series[0].Points[0] != wanted {
			t.Errorf("%s = %+v, %v, want %s", text, d, err, wanted)
		}
		if fast, ok := plainFloat([]byte(text)); ok && math.Float64bits(fast) != math.Float64bits(want) {
			t.Errorf("plainFloat(%s) = %v, want %v", text, fast, want)
		}
	}
}

// TestQuotient compares with division of rational numbers.
func TestQuotient(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		a, b := r.Uint64()>>r.IntN(64), powers[r.IntN(len(powers))]
		if got, want := quotient(a, b), ratio(a, b); got != want {
			t.Fatalf("quotient(%d, %d) = %v, want %v", a, b, got, want)
		}
		if b = b >> r.IntN(3) &^ 1; b > 0 { // more ties
			a &^= 1<<r.IntN(20) - 1
			if got, want := quotient(a, b), ratio(a, b); got != want {
				t.Fatalf("quotient(%d, %d) = %v, want %v", a, b, got, want)
			}
		}
	}
}

func ratio(a, b uint64) float64 {
	x, y := new(big.Int).SetUint64(a), new(big.Int).SetUint64(b)
	f, _ := new(big.Rat).SetFrac(x, y).Float64()
	return f
}

func TestDecodeRefuses(t *testing.T) {
	wrap := func(result string) string {
		return `{"status":"success","data":{"resultType":"matrix","result":` + result + `}}`
	}
	tests := []struct{ name, body, want string }{
		{"more behind", wrap(`[]`) + "x", "the end of the body"},
		{"null byte behind", wrap(`[]`) + "\x00", "the end of the body"},
		{"no status", `{"data":{"resultType":"matrix","result":[]}}`, `the status "success" or "error"`},
		{"odd status", `{"status":"fine"}`, `the status "success" or "error"`},
		{"no data", `{"status":"success"}`, "want data"},
		{"no result", `{"status":"success","data":{}}`, "a result"},
		{"result first", `{"status":"success","data":{"result":[],"resultType":"matrix"}}`, "a result type before the result"},
		{"odd type", `{"status":"success","data":{"resultType":"table","result":[]}}`, `not "table"`},
		{"key twice", `{"status":"success","status":"error"}`, `not "status" again`},
		{"label twice", wrap(`[{"metric":{"a":"1","a":"2"}}]`), `not "a" again`},
		{"values first", wrap(`[{"values":[]}]`), "the metric before its values"},
		{"no metric", wrap(`[{}]`), "a metric"},
		{"value as number", wrap(`[{"metric":{},"values":[[1,1]]}]`), `"\""`},
		{"no number", wrap(`[{"metric":{},"values":[[1,"one"]]}]`), `not "one"`},
		{"hexadecimal", wrap(`[{"metric":{},"values":[[1,"0x1p4"]]}]`), `not "0x1p4"`},
		{"underscore", wrap(`[{"metric":{},"values":[[1,"1_000"]]}]`), `not "1_000"`},
		{"infinity spelt out", wrap(`[{"metric":{},"values":[[1,"Infinity"]]}]`), `not "Infinity"`},
		{"no value", wrap(`[{"metric":{},"values":[[1,""]]}]`), `not ""`},
		{"leading zero", wrap(`[{"metric":{},"values":[[01,"1"]]}]`), "a number"},
		{"late time", wrap(`[{"metric":{},"values":[[1234567890123,"1"]]}]`), "a time in seconds"},
		{"three in a sample", wrap(`[{"metric":{},"values":[[1,"1",2]]}]`), `"]"`},
		{"comma at the end", wrap(`[{"metric":{},"values":[[1,"1"],]}]`), `"["`},
		{"half a surrogate is text", wrap(`[{"metric":{"a":"\ud800"},"x":"\q"}]`), "an escape"},
		{"control character", wrap("[{\"metric\":{\"a\":\"\n\"}}]"), "no control character"},
		{"bad UTF-8", wrap("[{\"metric\":{\"a\":\"\xff\"}}]"), "UTF-8"},
		{"deep", `{"status":"success","x":` + strings.Repeat("[", 100), "nested up to 64 deep"},
		{"long text", `{"x":"` + strings.Repeat("x", maxText+1) + `"}`, "a text of up to 1 MiB"},
		{"boundary rule", wrap(`[{"metric":{},"histograms":[[1,{"buckets":[[4,"1","2","3"]]}]]}]`), "a boundary rule from 0 to 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decodeAll(strings.NewReader(tt.body))
			if _, ok := errors.AsType[*DecodeError](err); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want a DecodeError with %q", err, tt.want)
			}
		})
	}
}

// TestDecodeCut ends an answer after each of its bytes: that is an unexpected end
// there, or the error of the connection.
func TestDecodeCut(t *testing.T) {
	lost := errors.New("connection lost")
	for _, body := range seeds[:6] {
		for n := range len(body) {
			_, err := decodeAll(strings.NewReader(body[:n]))
			if d, ok := errors.AsType[*DecodeError](err); !ok || !errors.Is(err, io.ErrUnexpectedEOF) || d.Offset > int64(n) {
				t.Fatalf("%q: %v, want an unexpected end", body[:n], err)
			}
			_, err = decodeAll(io.MultiReader(strings.NewReader(body[:n]), iotest.ErrReader(lost)))
			if !errors.Is(err, lost) {
				t.Fatalf("%q and a lost connection: %v, want that", body[:n], err)
			}
		}
	}
}

// TestDecodeLong decodes a text far longer than the buffer in one call and in odd
// pieces.
func TestDecodeLong(t *testing.T) {
	const points = 20_000
	var b strings.Builder
	b.WriteString(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[`)
	for i := range points {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("[" + strconv.Itoa(1_700_000_000+i) + ".5" + strings.Repeat("0", i%3) + `,"` + strconv.Itoa(i) + `"]`)
	}
	b.WriteString(`]}]}}`)
	for _, r := range []io.Reader{strings.NewReader(b.String()), iotest.HalfReader(strings.NewReader(b.String())), iotest.DataErrReader(strings.NewReader(b.String()))} {
		d, err := decodeAll(r)
		if err != nil || len(d.Series) != 1 || len(d.Series[0].Points) != points {
			t.Fatalf("got %d series, %v, want one of %d points", len(d.Series), err, points)
		}
		for i, p := range d.Series[0].Points {
			if want := strconv.Itoa(1_700_000_000+i) + "500 " + strconv.FormatUint(math.Float64bits(float64(i)), 16); p != want {
				t.Fatalf("point %d = %s, want %s", i, p, want)
			}
		}
	}
}

func TestLabels(t *testing.T) {
	for want, l := range map[string]Labels{
		`{}`:                    {},
		`up`:                    {"__name__": "up"},
		`up{a="1",b="x\"y\\z"}`: {"b": `x"y\z`, "__name__": "up", "a": "1"},
		`{a="1"}`:               {"a": "1"},
	} {
		if got := l.String(); got != want {
			t.Errorf("String = %s, want %s", got, want)
		}
	}
	if a, b := (Labels{"a": "1", "b": "2"}).key(), (Labels{"a": "11:b1:2"}).key(); a == b {
		t.Errorf("two sets of labels have the key %q", a)
	}
}
