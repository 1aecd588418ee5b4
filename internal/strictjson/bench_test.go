package strictjson

import (
	"strings"
	"testing"
)

// BenchmarkRead reads half a megabyte in which every element is wrong: the cost must
// not grow with the square of the problems.
func BenchmarkRead(b *testing.B) {
	for name, element := range map[string]string{"right": `"abc"`, "wrong": `12345`} {
		b.Run(name, func(b *testing.B) {
			data := []byte(`{"words": [` + strings.Repeat(element+",\n", 70_000) + element + `]}`)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if n := len(Read(data, new(outer), Options{}).Problems()); (n > 0) != (name == "wrong") {
					b.Fatalf("%d problems", n)
				}
			}
		})
	}
}
