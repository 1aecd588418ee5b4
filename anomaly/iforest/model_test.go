package iforest_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
)

func TestModelRoundTrip(t *testing.T) {
	for _, o := range []iforest.Options{{Trees: 5, Contamination: 0.1}, {Trees: 5, MaxFeatures: 2}} {
		m, err := iforest.Grow(table(100, 4), &o)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := iforest.ParseModel(data)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, m) {
			t.Errorf("%+v: model differs after JSON", o)
		}
	}
}

func TestParseModelErrors(t *testing.T) {
	const (
		head = `{"n_features": 2, "max_samples": 8, "offset": -0.5, "trees": [`
		ok   = `{"feature": [1,-2,-2], "threshold": [0.5,-2,-2], "left": [1,-1,-1], "right": [2,-1,-1], "n_node_samples": [8,5,3]}`
	)
	for _, c := range []struct{ name, data, want string }{
		{"not JSON", `{`, "document: want a JSON object with n_features, max_samples, offset and trees: unexpected end of JSON input"},
		{"wrong type", `{"n_features": "two"}`, "n_features: want a JSON object with n_features, max_samples, offset and trees: json: cannot unmarshal string into Go struct field Model.n_features of type int"},
		{"empty", `{}`, "n_features: is 0, want 1 to 65535"},
		{"no samples", `{"n_features": 1}`, "max_samples: is 0, want at least 1"},
		{"no trees", `{"n_features": 1, "max_samples": 1}`, "trees: is empty, want at least one tree"},
		{"scaler", `{"n_features": 2, "max_samples": 1, "scaler_mean": [1], "scaler_scale": [1], "trees": [{}]}`, "scaler_mean: has 1 entries, want n_features = 2"},
		{"no root", head + `{}]}`, "trees[0].left: is empty, want at least a root"},
		{"short slice", head + ok + `, {"feature": [], "threshold": [], "left": [-1], "right": [-1], "n_node_samples": [1]}]}`, "trees[1].feature: has 0 entries, want 1 as left has"},
		{"loop", head + `{"feature": [0], "threshold": [1], "left": [0], "right": [0], "n_node_samples": [1]}]}`, "trees[0].left[0]: is 0, want a later node up to 0, or -1 on both sides of a leaf"},
		{"one child", head + `{"feature": [0,-2], "threshold": [1,-2], "left": [1,-1], "right": [-1,-1], "n_node_samples": [2,1]}]}`, "trees[0].right[0]: is -1, want a later node up to 1, or -1 on both sides of a leaf"},
		{"shared child", head + `{"feature": [0,-2], "threshold": [1,-2], "left": [1,-1], "right": [1,-1], "n_node_samples": [2,1]}]}`, "trees[0].right[0]: is 1, a node that has a parent already"},
		{"orphan", head + `{"feature": [-2,-2], "threshold": [-2,-2], "left": [-1,-1], "right": [-1,-1], "n_node_samples": [2,1]}]}`, "trees[0].left[1]: node is no child of an earlier node"},
		{"feature", head + `{"feature": [2,-2,-2], "threshold": [1,-2,-2], "left": [1,-1,-1], "right": [2,-1,-1], "n_node_samples": [2,1,1]}]}`, "trees[0].feature[0]: is 2, want 0 to 1"},
		{"no rows in leaf", head + `{"feature": [-2], "threshold": [-2], "left": [-1], "right": [-1], "n_node_samples": [0]}]}`, "trees[0].n_node_samples[0]: is 0, want at least 1"},
		{"columns", head + `{"features": [2], "feature": [-2], "threshold": [-2], "left": [-1], "right": [-1], "n_node_samples": [1]}]}`, "trees[0].features[0]: is 2, want 0 to 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := iforest.ParseModel([]byte(c.data))
			var format *iforest.FormatError
			if !errors.As(err, &format) || err.Error() != "iforest: model: "+c.want {
				t.Errorf("ParseModel = %v\nwant iforest: model: %s", err, c.want)
			}
		})
	}
	m := stump(math.Inf(1))
	if _, err := m.Forest(); err == nil || err.Error() != "iforest: model: trees[0].threshold[0]: is +Inf, want a finite number" {
		t.Errorf("Forest of an infinite threshold = %v", err)
	}
}

func FuzzParseModel(f *testing.F) {
	f.Add([]byte(`{"n_features": 1, "max_samples": 2, "offset": -0.5, "trees": [{"feature": [0,-2,-2], "threshold": [0.5,-2,-2], "left": [1,-1,-1], "right": [2,-1,-1], "n_node_samples": [2,1,1]}]}`))
	f.Add([]byte(`{"n_features": 3, "max_samples": 1, "trees": [{"features": [2,0], "feature": [-2], "threshold": [-2], "left": [-1], "right": [-1], "n_node_samples": [1]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := iforest.ParseModel(data)
		if err != nil {
			if _, ok := errors.AsType[*iforest.FormatError](err); !ok {
				t.Fatalf("ParseModel error is a %T: %v", err, err)
			}
			return
		}
		forest, err := m.Forest()
		if err != nil {
			t.Fatalf("a parsed model does not pack: %v", err)
		}
		row := make([]float64, m.Features)
		for j := range row {
			row[j] = float64(j%3) - 0.5
		}
		got, err := forest.Score(row)
		want := slowScore(m, row)
		if err != nil || math.Abs(got-want) > 1e-12 {
			t.Fatalf("Score = %v, %v, want %v", got, err, want)
		}
		if err := forest.Attribute(make([]float64, m.Features), row); err != nil {
			t.Fatal(err)
		}
	})
}
