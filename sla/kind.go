package sla

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// measures and remedies are the built-in ones by their names in files.
var (
	measures = []kind[Measure]{
		{"uptime", Uptime{}},
		{"bad_slots", BadSlots{}},
		{"mean_error_rate", MeanErrorRate{}},
		{"events", Events{}},
		{"affected_ratio", AffectedRatio{}},
	}
	remedies = []kind[Remedy]{
		{"bands", Bands{}},
		{"lost_time", LostTime{}},
		{"per_interval", PerInterval{}},
		{"per_outage", PerOutage{}},
		{"usage_share", UsageShare{}},
		{"unknown", UnknownRemedy{}},
	}
)

// kind is a name and a value of the type that it stands for.
type kind[T any] struct {
	name string
	zero T
}

// availabilityWire is an [Availability] with its interfaces as JSON.
type availabilityWire struct {
	availabilityFields
	Measure json.RawMessage `json:"measure,omitempty"`
	Remedy  json.RawMessage `json:"remedy,omitempty"`
}

type availabilityFields Availability

// MarshalJSON writes measure and remedy as objects with their "kind". One of
// your own is written with its Go type as kind, and cannot be read back.
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
// this package. Unknown keys are errors.
func (a *Availability) UnmarshalJSON(data []byte) error {
	var w availabilityWire
	if err := strict(data, &w); err != nil {
		return err
	}
	*a = Availability(w.availabilityFields)
	var err error
	if a.Measure, err = unmarshalKind("measure", measures, w.Measure); err != nil {
		return err
	}
	a.Remedy, err = unmarshalKind("remedy", remedies, w.Remedy)
	return err
}

func marshalKind[T any](kinds []kind[T], v T) (json.RawMessage, error) {
	if any(v) == nil {
		return nil, nil
	}
	name := fmt.Sprintf("%T", v)
	for _, k := range kinds {
		if reflect.TypeOf(k.zero) == reflect.TypeOf(v) {
			name = k.name
		}
	}
	fields, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf(`{"kind":%q`, name)
	if inner := bytes.TrimPrefix(fields, []byte("{")); len(inner) > 1 {
		return append([]byte(head+","), inner...), nil
	}
	return []byte(head + "}"), nil
}

func unmarshalKind[T any](what string, kinds []kind[T], data json.RawMessage) (v T, err error) {
	if len(data) == 0 || string(data) == "null" {
		return v, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return v, err
	}
	var name string
	if err := json.Unmarshal(fields["kind"], &name); err != nil {
		return v, fmt.Errorf("sla: %s without a kind: %w", what, err)
	}
	delete(fields, "kind")
	rest, err := json.Marshal(fields)
	if err != nil {
		return v, err
	}
	var names []string
	for _, k := range kinds {
		if k.name == name {
			p := reflect.New(reflect.TypeOf(k.zero))
			if err := strict(rest, p.Interface()); err != nil {
				return v, fmt.Errorf("sla: %s %q: %w", what, name, err)
			}
			return p.Elem().Interface().(T), nil //nolint:forcetypeassert // a built-in one
		}
		names = append(names, k.name)
	}
	return v, fmt.Errorf("sla: %s %q: want %s", what, name, strings.Join(names, ", "))
}

// strict decodes one JSON value and refuses unknown keys.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
