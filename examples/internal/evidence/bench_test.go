package evidence_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
)

// A million rows of a year, of which the window takes a month.
func BenchmarkRead(b *testing.B) {
	const n = 1_000_000
	random := rand.New(rand.NewPCG(3, 4))
	var outages, checks bytes.Buffer
	outages.WriteString("service,start,end,kind,cause,incident_id\n")
	checks.WriteString("time,service,status,http_code,response_ms\n")
	year := start.AddDate(0, -11, 0)
	for i := range n {
		from := year.Add(time.Duration(random.IntN(365*24*3600)) * time.Second)
		fmt.Fprintf(&outages, "%s,%s,%s,down,provider,INC-%d\n", frame.Services[i%2], from.Format(time.RFC3339), from.Add(time.Duration(random.IntN(300))*time.Second).Format(time.RFC3339), i)
		fmt.Fprintf(&checks, "%s,%s,up,200,12\n", year.Add(time.Duration(i)*30*time.Second).Format(time.RFC3339), frame.Services[i%2])
	}
	for name, c := range map[string]struct {
		data  []byte
		files evidence.Files
	}{
		"outages=1M": {outages.Bytes(), evidence.Files{Outages: "f.csv"}},
		"checks=1M":  {checks.Bytes(), evidence.Files{Checks: "f.csv", MaxGap: 5 * time.Minute}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.data)))
			for b.Loop() {
				if _, err := evidence.Read(func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(c.data)), nil }, c.files, frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
