package iforest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Model is a forest as plain arrays in scikit-learn's layout, the form in which
// it is exchanged and stored. [Grow] makes one, [ParseModel] reads one, and
// [Model.Forest] packs it for scoring.
type Model struct {
	// Version is the scikit-learn version that made the model, empty if none did.
	Version string `json:"sklearn,omitempty"`
	// Features is the number of columns of a row.
	Features int `json:"n_features"`
	// MaxSamples is the number of rows drawn per tree; it normalises the score.
	MaxSamples int `json:"max_samples"`
	// Offset is subtracted from a score to get the decision, see [Forest.Offset].
	Offset float64 `json:"offset"`
	// ScalerMean and ScalerScale are the standard scaling that stood before the
	// forest when the model was exported, both empty if there was none. The
	// forest does not apply them: it takes (x-mean)/scale.
	ScalerMean  []float64 `json:"scaler_mean,omitempty"`
	ScalerScale []float64 `json:"scaler_scale,omitempty"`
	// Note is free text.
	Note string `json:"note,omitempty"`
	// Trees in scoring order.
	Trees []Tree `json:"trees"`
}

// Tree holds the nodes of one tree in parallel slices, node 0 being the root. A
// row goes left when its float32 cell is at most the threshold. A leaf has both
// children -1, feature -2 and threshold -2.
type Tree struct {
	// Columns maps the feature numbers of this tree to columns of the row; nil
	// means they are the same. It is set when max_features is below the total.
	Columns []int32 `json:"features,omitempty"`

	Feature   []int32   `json:"feature"`
	Threshold []float64 `json:"threshold"`
	Left      []int32   `json:"left"`
	Right     []int32   `json:"right"`
	// Samples counts the distinct training rows that reached the node.
	Samples []int32 `json:"n_node_samples"`
}

// none and undefined mark leaves in the layout.
const (
	none      = -1
	undefined = -2
)

// add appends a leaf over n rows.
func (t *Tree) add(n int) int32 {
	id := int32(len(t.Left))
	t.Feature = append(t.Feature, undefined)
	t.Threshold = append(t.Threshold, undefined)
	t.Left = append(t.Left, none)
	t.Right = append(t.Right, none)
	t.Samples = append(t.Samples, int32(n))
	return id
}

// ParseModel reads a model from JSON with the field names of [Model] and
// validates it. Unknown fields are ignored. Errors are of type [*FormatError].
func ParseModel(data []byte) (*Model, error) {
	var m Model
	if err := json.Unmarshal(data, &m); err != nil {
		path := "document"
		if typeErr, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && typeErr.Field != "" {
			path = typeErr.Field
		}
		return nil, &FormatError{Path: path, Problem: "want a JSON object with n_features, max_samples, offset and trees", Err: err}
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return &m, nil
}

// Validate reports the first thing that keeps the model from being a forest: a
// number out of range, slices of different length, a child that does not come
// after its parent or has two of them. Errors are of type [*FormatError].
func (m *Model) Validate() error {
	switch {
	case m.Features < 1 || m.Features > maxFeatures:
		return formatErrorf("n_features", "is %d, want 1 to %d", m.Features, maxFeatures)
	case m.MaxSamples < 1:
		return formatErrorf("max_samples", "is %d, want at least 1", m.MaxSamples)
	case !finite(m.Offset):
		return formatErrorf("offset", "is %v, want a finite number", m.Offset)
	case len(m.Trees) == 0:
		return formatErrorf("trees", "is empty, want at least one tree")
	case len(m.ScalerMean) != len(m.ScalerScale):
		return formatErrorf("scaler_scale", "has %d entries, want as many as scaler_mean: %d", len(m.ScalerScale), len(m.ScalerMean))
	case len(m.ScalerMean) != 0 && len(m.ScalerMean) != m.Features:
		return formatErrorf("scaler_mean", "has %d entries, want n_features = %d", len(m.ScalerMean), m.Features)
	}
	nodes := 0
	for i := range m.Trees {
		if err := m.Trees[i].validate(fmt.Sprintf("trees[%d]", i), m.Features); err != nil {
			return err
		}
		nodes += len(m.Trees[i].Left)
	}
	if nodes > math.MaxInt32 {
		return formatErrorf("trees", "have %d nodes together, want at most %d", nodes, math.MaxInt32)
	}
	return nil
}

// validate reports the first node that a walk could not use, by its path.
func (t *Tree) validate(path string, features int) error {
	n := len(t.Left)
	switch {
	case n == 0:
		return formatErrorf(path+".left", "is empty, want at least a root")
	case n > maxNodes:
		return formatErrorf(path+".left", "has %d nodes, want at most %d", n, maxNodes)
	case len(t.Right) != n:
		return formatErrorf(path+".right", "has %d entries, want %d as left has", len(t.Right), n)
	case len(t.Feature) != n:
		return formatErrorf(path+".feature", "has %d entries, want %d as left has", len(t.Feature), n)
	case len(t.Threshold) != n:
		return formatErrorf(path+".threshold", "has %d entries, want %d as left has", len(t.Threshold), n)
	case len(t.Samples) != n:
		return formatErrorf(path+".n_node_samples", "has %d entries, want %d as left has", len(t.Samples), n)
	}
	if t.Columns != nil {
		for j, c := range t.Columns {
			if c < 0 || int(c) >= features {
				return formatErrorf(fmt.Sprintf("%s.features[%d]", path, j), "is %d, want 0 to %d", c, features-1)
			}
		}
		features = len(t.Columns)
	}
	parented := make([]bool, n)
	for i := range n {
		at := func(field string) string { return fmt.Sprintf("%s.%s[%d]", path, field, i) }
		if i > 0 && !parented[i] {
			return formatErrorf(at("left"), "node is no child of an earlier node")
		}
		if t.Samples[i] < 1 {
			return formatErrorf(at("n_node_samples"), "is %d, want at least 1", t.Samples[i])
		}
		left, right := t.Left[i], t.Right[i]
		if left == none && right == none {
			continue
		}
		for _, child := range [...]struct {
			field string
			id    int32
		}{{"left", left}, {"right", right}} {
			if int(child.id) <= i || int(child.id) >= n {
				return formatErrorf(at(child.field), "is %d, want a later node up to %d, or -1 on both sides of a leaf", child.id, n-1)
			}
			if parented[child.id] {
				return formatErrorf(at(child.field), "is %d, a node that has a parent already", child.id)
			}
			parented[child.id] = true
		}
		if f := t.Feature[i]; f < 0 || int(f) >= features {
			return formatErrorf(at("feature"), "is %d, want 0 to %d", f, features-1)
		}
		if !finite(t.Threshold[i]) {
			return formatErrorf(at("threshold"), "is %v, want a finite number", t.Threshold[i])
		}
	}
	return nil
}

func formatErrorf(path, format string, args ...any) error {
	return &FormatError{Path: path, Problem: fmt.Sprintf(format, args...)}
}

func finite(x float64) bool {
	return x-x == 0
}
