package openslo_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/evenkeelops/evenkeel/slo/openslo"
)

func FuzzParse(f *testing.F) {
	for _, text := range []string{base, alerting, threshold, references, alpha, beta, "- &a [*a]\n", "a: &a {b: *a}", "apiVersion: openslo/v1alpha\nkind: SLO\nspec: &s {indicator: *s}\n", "---\n...\n---\n", edit(base, "shop", "{a, b: }")} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := openslo.Parse("f", data)
		var all openslo.Errors
		switch {
		case file == nil:
			t.Fatal("no file")
		case err != nil && (!errors.As(err, &all) || len(all) == 0 || len(file.Objectives) > 0):
			t.Fatalf("err = %v with %d objectives", err, len(file.Objectives))
		}
		for _, found := range [][]openslo.Diagnostic{all, file.Findings} {
			for _, x := range found {
				if x.Line < 1 || x.Column < 1 || x.Code == "" || x.Message == "" {
					t.Fatalf("finding %+v", x)
				}
			}
		}
		if err != nil {
			return
		}
		for _, o := range file.Objectives {
			if err := o.Validate(); err != nil {
				t.Fatal(err)
			}
			_, _ = o.Events()
		}
		written, err := file.AppendYAML(nil)
		if err != nil {
			return // an alias that stands for its own parent
		}
		again, err := openslo.Parse("f", written)
		if err != nil || len(again.Objectives) != len(file.Objectives) {
			t.Fatalf("read again: %v, %d objectives, want %d\n%s", err, len(again.Objectives), len(file.Objectives), written)
		}
		for i := range again.Objectives {
			if !same(again.Objectives[i], file.Objectives[i]) {
				t.Fatalf("read again\n%+v\nwant\n%+v\n%s", again.Objectives[i], file.Objectives[i], written)
			}
		}
		exported, err := openslo.Append(nil, file.Objectives)
		if err != nil {
			return
		}
		back, err := openslo.Parse("f", exported)
		if err != nil {
			t.Fatalf("exported: %v\n%s", err, exported)
		}
		if twice, err := openslo.Append(nil, back.Objectives); err != nil || !bytes.Equal(twice, exported) {
			t.Fatalf("exported twice: %v\n%s\nwant\n%s", err, twice, exported)
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, text := range []string{"", "m", "-5m", "5", "5 m", "1.5h", "1h30m", "0m", "5mm", "1M", "4w", "99999999999999999999d", "1Q", "٣m"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := openslo.ParseDuration(text)
		if err != nil {
			if d != (openslo.Duration{}) {
				t.Fatalf("ParseDuration(%q) = %v, %v", text, d, err)
			}
			return
		}
		length, fixed := d.Length()
		if _, calendar := d.Calendar(); calendar == fixed || fixed && length <= 0 || d.Count < 1 {
			t.Fatalf("ParseDuration(%q) = %+v of %v", text, d, length)
		}
		if again, err := openslo.ParseDuration(d.String()); err != nil || again != d {
			t.Fatalf("ParseDuration(%q) = %v, %v, want %v", d, again, err, d)
		}
	})
}
