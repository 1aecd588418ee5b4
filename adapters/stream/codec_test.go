package stream

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"testing/quick"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
)

// fill sets every field of a batch and of its events to something, or leaves it out;
// fields that are added later are set, too.
func fill(v reflect.Value, src *rand.Rand) {
	texts := []string{"", "a", "db_slow", "größe", `q"\`, "<&>", "\x00\n", "\xff", "line\u2028", "0123456789abcdef"}
	switch v.Interface().(type) {
	case time.Time:
		if src.IntN(4) > 0 {
			zone := []*time.Location{time.UTC, time.FixedZone("", 2*3600+1800)}[src.IntN(2)]
			v.Set(reflect.ValueOf(time.Unix(src.Int64N(4e9), src.Int64N(1e9)/[]int64{1, 1e9}[src.IntN(2)]).In(zone)))
		}
		return
	case correlation.Status:
		v.SetUint(1 + src.Uint64N(2))
		return
	case incident.Severity:
		v.Set(reflect.ValueOf([]incident.Severity{0, incident.P1, incident.P4}[src.IntN(3)]))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, src)
		}
	case reflect.Slice:
		if n := src.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(v.Index(i), src)
			}
		}
	case reflect.Map:
		if n := src.IntN(4); n > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n {
				v.SetMapIndex(reflect.ValueOf(texts[src.IntN(len(texts))]), reflect.ValueOf(texts[src.IntN(len(texts))]))
			}
		}
	case reflect.String:
		v.SetString(texts[src.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(src.IntN(2) > 0)
	case reflect.Int64:
		v.SetInt([]int64{0, 1, 1 << 60}[src.IntN(3)])
	default:
		panic("kind " + v.Kind().String() + " is new in a batch")
	}
}

// Our codec is that of encoding/json.
func TestCodec(t *testing.T) {
	seen := 0
	law := func(seed uint64) bool {
		var b Batch
		fill(reflect.ValueOf(&b).Elem(), rand.New(rand.NewPCG(seed, 1)))
		if len(b.Events) > 0 && b.At.IsZero() {
			b.At = time.Unix(1, 0)
		}
		want, err1 := json.Marshal(b)
		got, err2 := b.Encode()
		if err1 != nil || err2 != nil || string(got) != string(want) {
			t.Errorf("Encode = %s, %v, want %s, %v", got, err2, want, err1)
			return false
		}
		var back Batch
		check := json.Unmarshal(want, &back)
		if r := Decode(7, got); check != nil || r.Err != nil || r.Offset != 7 || !reflect.DeepEqual(r.Batch, back) {
			t.Errorf("Decode(%s) = %+v, want %+v", got, r, back)
			return false
		}
		p := parser{b: got}
		if p.batch(&Batch{}); !p.failed {
			seen++
		}
		return true
	}
	if err := quick.Check(law, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
	if seen < 500 {
		t.Errorf("%d of 5000 batches were read without encoding/json, want many", seen)
	}
	many := correlation.Event{Alert: "a", Status: correlation.Firing, Time: time.Unix(1, 0).UTC(), Labels: map[string]string{}}
	for n := range 100 {
		many.Labels[strconv.Itoa(n)] = strconv.Itoa(-n)
	}
	text, err := Batch{At: many.Time, Events: []correlation.Event{many}}.Encode()
	p := parser{b: text}
	var back Batch
	if p.batch(&back); err != nil || p.failed || !reflect.DeepEqual(back.Events, []correlation.Event{many}) {
		t.Errorf("%s comes back as %+v (%v, failed %v)", text, back, err, p.failed)
	}
	if _, err := (Batch{At: time.Unix(1, 0), Events: []correlation.Event{{}}}).Encode(); err == nil {
		t.Error("Encode of an event without status: want an error")
	}
	if _, err := (Batch{At: time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC)}).Encode(); err == nil {
		t.Error("Encode of a year that RFC 3339 does not have: want an error")
	}
}

// Whatever we read, encoding/json reads the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"at":"2026-11-24T12:00:00Z","events":[{"tenant":"t","alert":"a.b","labels":{"k":"v"},"status":"firing","time":"2026-11-24T12:00:00.5+02:00","severity":"P1"}],"sent":["k"],"epoch":7}`))
	f.Add([]byte(`{"epoch":01}`))
	f.Add([]byte(`{"events":[],"sent":null}`))
	f.Add([]byte(`{"events":[{"alert":"a","labels":{},"status":"resolved","time":"2026-11-24T12:00:00Z"}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var want Batch
		err := json.Unmarshal(data, &want)
		got := Decode(1, data)
		if (got.Err != nil) != (err != nil) || err == nil && !reflect.DeepEqual(got.Batch, want) {
			t.Errorf("Decode(%q) = %+v, encoding/json has %+v, %v", data, got, want, err)
		}
	})
}

// What is no notification is told, and what is one comes back from its encoding.
func FuzzDecodeEntry(f *testing.F) {
	f.Add([]byte(`{"key":"k","at":"2026-11-24T12:00:00Z","kind":"notify","alert":{"tenant":"t","alert":"a.b","labels":{"k":"v"},"active":true},"partition":1,"offset":2,"epoch":3}`))
	f.Add([]byte(`{"key":""}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e := DecodeEntry(7, data)
		if e.Place != 7 || (e.Err == nil) != (e.Key != "") {
			t.Fatalf("DecodeEntry(%q) = %+v, want an error or a key", data, e)
		}
		text, err := e.Encode()
		if e.Err != nil || err != nil {
			return // as a year that RFC 3339 does not have
		}
		if again := DecodeEntry(7, text); !reflect.DeepEqual(again, e) {
			t.Errorf("DecodeEntry(%s) = %+v, want %+v", text, again, e)
		}
	})
}

func BenchmarkCodec(b *testing.B) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 123456789, time.UTC)
	batch := Batch{At: at, Events: []correlation.Event{{
		Tenant: "customer-417", Alert: "platform.queue_depth", Status: correlation.Firing, Time: at, Annotations: map[string]string{"summary": "the value has been above its threshold for five minutes"},
		Labels: map[string]string{"cluster": "c1", "namespace": "ns17", "instance": "10.0.1.17:9100", "job": "node", "region": "r1", "team": "t17", "service": "service-1", "severity": "warning"},
	}}}
	data, err := batch.Encode()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = batch.Encode()
		}
	})
	b.Run("encode by encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = json.Marshal(batch)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Decode(1, data)
		}
	})
	b.Run("decode by encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var into Batch
			_ = json.Unmarshal(data, &into)
		}
	})
}
