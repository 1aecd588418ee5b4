package diagnostic

import (
	"encoding/json"
	"testing"
)

func TestErrors(t *testing.T) {
	e := Errors{
		{File: "a.yaml", Line: 2, Column: 1, Code: "b", Message: "last"},
		{File: "a.yaml", Line: 1, Column: 9, Code: "a", Path: "x.y[0]", Message: "third"},
		{File: "a.yaml", Line: 1, Column: 3, Code: "b", Path: "x", Message: "second"},
		{File: "a.yaml", Line: 1, Column: 3, Code: "a", Severity: Warning, Path: "z", Message: "first", Suggestion: "yes"},
	}
	e.Sort()
	want := "a.yaml:1:3: z: first (did you mean \"yes\"?)\na.yaml:1:3: x: second\na.yaml:1:9: x.y[0]: third\na.yaml:2:1: last"
	if got := e.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	got, err := json.Marshal(e[0])
	if want := `{"line":1,"col":3,"severity":"warning","path":"z","code":"a","message":"first","suggestion":"yes"}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
