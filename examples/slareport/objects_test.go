package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

// The tables of the sample give the same report as JSON objects.
func TestTablesOfObjects(t *testing.T) {
	names := []string{"outages", "incidents", "maintenance", "changes", "restores"}
	contract, err := os.ReadFile(filepath.Join("testdata", "sample", "contract.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"contract.yaml": string(contract)}
	args := func(ending string) []string {
		list := []string{"-config", "contract.yaml", "-month", "2026-09", "-now", "2026-10-01T06:00:00Z"}
		for _, name := range names {
			list = append(list, "-"+name, name+ending)
		}
		return list
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("testdata", "sample", name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var objects []string
		for _, row := range rows[1:] {
			object := map[string]any{}
			for i, key := range rows[0] {
				if object[key] = row[i]; row[i] == "" {
					object[key] = nil
				}
			}
			line, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			objects = append(objects, string(line))
		}
		files[name+".csv"] = string(text)
		files[name+".jsonl"] = strings.Join(objects, "\n")
		files[name+".json"] = "[" + strings.Join(objects, ",\n") + "]"
	}
	want := programtest.Result(t, files, args(".csv")...)
	for _, ending := range []string{".jsonl", ".json"} {
		got := programtest.Result(t, files, args(ending)...)
		if rows := programtest.At(t, got, "inputs.1.rows"); rows != programtest.At(t, want, "inputs.1.rows") || rows == 0.0 {
			t.Errorf("%s: %v rows of outages, want %v", ending, rows, programtest.At(t, want, "inputs.1.rows"))
		}
		for key := range want {
			if key != "inputs" && !reflect.DeepEqual(got[key], want[key]) {
				t.Errorf("%s: %s = %v, want %v", ending, key, got[key], want[key])
			}
		}
	}
	files["incidents.jsonl"] += "\n{\"id\": \"INC-9\"}\n[]\n"
	o := programtest.Run(t, nil, files, args(".jsonl")...)
	if o.Exit != 3 || o.Stdout != "" || !strings.Contains(o.Stderr, "incidents.jsonl:10: severity: the cell is empty") || !strings.Contains(o.Stderr, "incidents.jsonl:11: want an object") {
		t.Errorf("exit %d, %q, %s", o.Exit, o.Stdout, o.Stderr)
	}
}
