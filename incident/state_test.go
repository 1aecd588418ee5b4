package incident_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// TestClone fills every list, map and pointer of a state, so that a field which is
// added later is looked at, too.
func TestClone(t *testing.T) {
	var s incident.State
	fill(reflect.ValueOf(&s).Elem())
	again := s.Clone()
	if !reflect.DeepEqual(again, s) {
		t.Fatalf("Clone = %+v, want %+v", again, s)
	}
	shared(t, "State", reflect.ValueOf(s), reflect.ValueOf(again))
	if empty := (incident.State{}).Clone(); !reflect.DeepEqual(empty, incident.State{}) {
		t.Errorf("Clone of nothing = %+v", empty)
	}
}

// fill puts one element into everything that refers to something.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		element := reflect.New(v.Type().Elem()).Elem()
		fill(element)
		v.SetMapIndex(reflect.New(v.Type().Key()).Elem(), element)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	default: // a value
	}
}

// shared reports what two values have in common but should not.
func shared(t *testing.T, path string, a, b reflect.Value) {
	t.Helper()
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if f := a.Type().Field(i); f.IsExported() {
				shared(t, path+"."+f.Name, a.Field(i), b.Field(i))
			}
		}
	case reflect.Slice, reflect.Map, reflect.Pointer:
		if a.UnsafePointer() == b.UnsafePointer() {
			t.Errorf("%s is shared", path)
		}
		if a.Kind() == reflect.Pointer {
			shared(t, path, a.Elem(), b.Elem())
		}
		if a.Kind() == reflect.Slice {
			shared(t, path+"[0]", a.Index(0), b.Index(0))
		}
		if a.Kind() == reflect.Map {
			for _, k := range a.MapKeys() {
				shared(t, path+"[]", a.MapIndex(k), b.MapIndex(k))
			}
		}
	default: // a value
	}
}
