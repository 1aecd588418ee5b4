package sla

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// measures and remedies are those of this package by their names in files.
var (
	measures = []namedType{
		{"uptime", reflect.TypeFor[Uptime]()},
		{"bad_slots", reflect.TypeFor[BadSlots]()},
		{"mean_error_rate", reflect.TypeFor[MeanErrorRate]()},
		{"events", reflect.TypeFor[Events]()},
		{"affected_ratio", reflect.TypeFor[AffectedRatio]()},
	}
	remedies = []namedType{
		{"bands", reflect.TypeFor[Bands]()},
		{"lost_time", reflect.TypeFor[LostTime]()},
		{"per_interval", reflect.TypeFor[PerInterval]()},
		{"per_outage", reflect.TypeFor[PerOutage]()},
		{"usage_share", reflect.TypeFor[UsageShare]()},
		{"unknown", reflect.TypeFor[UnknownRemedy]()},
	}
)

// namedType is a type and what it is called in files.
type namedType struct {
	name   string
	goType reflect.Type
}

const kindKey = "kind"

// nameOfKind returns what a measure or a remedy is called in files.
func nameOfKind(known []namedType, v any) string {
	t := reflect.TypeOf(v)
	if i := slices.IndexFunc(known, func(n namedType) bool { return n.goType == t }); i >= 0 {
		return known[i].name
	}
	if own, ok := v.(interface{ Kind() string }); ok {
		return own.Kind()
	}
	return t.String()
}

// isNamed reports whether the value has a name that does not hang on its Go type.
func isNamed(known []namedType, v any) bool {
	_, own := v.(interface{ Kind() string })
	return own || slices.ContainsFunc(known, func(n namedType) bool { return n.goType == reflect.TypeOf(v) })
}

// allKinds adds own types to the known ones.
func allKinds[T any](known []namedType, own []T) ([]namedType, error) {
	all := slices.Clone(known)
	for _, v := range own {
		t := reflect.TypeOf(v)
		if t == nil || t.Kind() == reflect.Pointer {
			return nil, fmt.Errorf("sla: kind of type %T: want a value, not a pointer", v)
		}
		name := nameOfKind(nil, v)
		if slices.ContainsFunc(all, func(n namedType) bool { return n.name == name }) {
			return nil, fmt.Errorf("sla: kind %q: stands for two types", name)
		}
		all = append(all, namedType{name, t})
	}
	return all, nil
}

// pointsToKind reports whether v points to one of the known types, which are
// values.
func pointsToKind(known []namedType, v any) bool {
	t := reflect.TypeOf(v)
	return t != nil && t.Kind() == reflect.Pointer && slices.ContainsFunc(known, func(n namedType) bool { return n.goType == t.Elem() })
}

// availabilityWire is an [Availability] with its interfaces as JSON.
type availabilityWire struct {
	availabilityFields
	Measure json.RawMessage `json:"measure,omitempty"`
	Remedy  json.RawMessage `json:"remedy,omitempty"`
}

type availabilityFields Availability

// MarshalJSON writes measure and remedy as objects with their "kind": that of
// [Kinds] for one of your own.
func (a Availability) MarshalJSON() ([]byte, error) {
	w := availabilityWire{availabilityFields: availabilityFields(a)}
	var err error
	if w.Measure, err = marshalKind(measures, a.Measure); err != nil {
		return nil, err
	}
	if w.Remedy, err = marshalKind(remedies, a.Remedy); err != nil {
		return nil, err
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads what MarshalJSON writes for the measures and remedies of
// this package, as strictly as [ParseContract].
func (a *Availability) UnmarshalJSON(data []byte) error {
	var read Availability
	if err := (Kinds{}).parse(data, &read); err != nil {
		return err
	}
	*a = read
	return nil
}

func marshalKind(known []namedType, v any) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	fields, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	name, err := json.Marshal(nameOfKind(known, v))
	if err != nil {
		return nil, err
	}
	out := append([]byte(`{"kind":`), name...)
	inner, ok := bytes.CutPrefix(fields, []byte("{"))
	if !ok {
		return nil, fmt.Errorf("sla: kind %s: writes %s, want an object", name, excerpt(fields))
	}
	if len(inner) > 1 {
		out = append(out, ',')
	}
	return append(out, inner...), nil
}
