package playbook

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// FactType says what kind of value a fact has.
type FactType string

// The types of facts.
const (
	BoolFact   FactType = "bool"   // yes or no
	NumberFact FactType = "number" // a measurement, with a unit if it has one
	AgeFact    FactType = "age"    // how long ago something happened, if ever
	TextFact   FactType = "text"   // one word, such as a state
	TextsFact  FactType = "texts"  // one word for each of a group; a comparison must hold for all of them
)

// FactSpec registers a fact that conditions may use.
type FactSpec struct {
	Name string   `json:"name"`
	Type FactType `json:"type"`
	// Unit of a number as conditions write it: "%" (0..100), "ratio", "ms", "GiB".
	// Defaults to none: a plain count.
	Unit string `json:"unit,omitempty"`
	// Staleness is how long a value counts after it was observed. Defaults to 5
	// minutes; negative means for ever.
	Staleness time.Duration `json:"staleness_ns,omitempty"`
}

// DefaultFacts returns the facts of the three default playbooks and of the
// safety checks.
func DefaultFacts() []FactSpec {
	return []FactSpec{
		{Name: "cpu_utilization", Type: NumberFact, Unit: "%"},
		{Name: "db_connections", Type: NumberFact},
		{Name: "pool", Type: NumberFact},
		{Name: "error_rate", Type: NumberFact, Unit: "%"},
		{Name: "auto_scaling_enabled", Type: BoolFact},
		{Name: "load_balancer_healthy", Type: BoolFact},
		{Name: "idle_connections", Type: NumberFact},
		{Name: "memory_available", Type: BoolFact},
		{Name: "circuit_breaker_available", Type: BoolFact},
		{Name: "healthy_instances", Type: NumberFact},
		{Name: "recent_deployment", Type: AgeFact},
		{Name: "available_capacity", Type: NumberFact},
		{Name: "required_capacity", Type: NumberFact},
		{Name: "all_dependencies.health_status", Type: TextsFact},
	}
}

// Value is an observed value. The zero Value is a fact of which nothing is
// known.
type Value struct {
	Type   FactType  `json:"type,omitempty"`
	Bool   bool      `json:"bool,omitempty"`
	Number float64   `json:"number,omitempty"`
	Text   string    `json:"text,omitempty"`
	Texts  []string  `json:"texts,omitempty"`
	Since  time.Time `json:"since,omitzero"` // of an age: when it happened; zero means never
}

// Bool returns a yes or a no.
func Bool(yes bool) Value { return Value{Type: BoolFact, Bool: yes} }

// Number returns a measurement. NaN is the zero Value.
func Number(x float64) Value {
	if math.IsNaN(x) {
		return Value{}
	}
	return Value{Type: NumberFact, Number: x}
}

// Text returns a word; an empty one is the zero Value.
func Text(word string) Value {
	if word == "" {
		return Value{}
	}
	return Value{Type: TextFact, Text: word}
}

// Texts returns one word per member of a group; empty words are members of
// which nothing is known. No words is a group without members, of which
// everything holds.
func Texts(words ...string) Value { return Value{Type: TextsFact, Texts: words} }

// Since returns the age of something that happened at an instant.
func Since(at time.Time) Value { return Value{Type: AgeFact, Since: at.Round(0).UTC()} }

// Never returns the age of something that never happened; no comparison with it
// holds.
func Never() Value { return Value{Type: AgeFact} }

// String returns the value for people.
func (v Value) String() string {
	switch v.Type {
	case BoolFact:
		return strconv.FormatBool(v.Bool)
	case NumberFact:
		return strconv.FormatFloat(v.Number, 'g', -1, 64)
	case TextFact:
		return v.Text
	case TextsFact:
		return "[" + strings.Join(v.Texts, " ") + "]"
	case AgeFact:
		if v.Since.IsZero() {
			return "never"
		}
		return "since " + v.Since.Format(time.RFC3339)
	}
	return "unknown"
}

// ErrUnknownFact means that a fact is not registered.
var ErrUnknownFact = errors.New("fact is not registered")

// Vocabulary is the set of registered facts. It never changes and is safe for
// concurrent use.
type Vocabulary struct {
	specs []FactSpec
	index map[string]int
}

// NewVocabulary registers facts. Names are letters, digits and _.- and must not
// be one of the language ("and", "current_time", "action." and so on).
// All problems are joined in the error; a name that stands twice is one.
func NewVocabulary(specs ...FactSpec) (*Vocabulary, error) {
	v := &Vocabulary{index: map[string]int{}}
	var errs []error
	for _, s := range specs {
		if err := s.check(); err != nil {
			errs = append(errs, err)
			continue
		}
		if _, twice := v.index[s.Name]; twice {
			errs = append(errs, fmt.Errorf("fact %q: registered twice", s.Name))
			continue
		}
		if s.Staleness == 0 {
			s.Staleness = threshold.DefaultStaleness
		}
		v.index[s.Name] = len(v.specs)
		v.specs = append(v.specs, s)
	}
	return v, errors.Join(errs...)
}

func (s FactSpec) check() error {
	if !isName(s.Name) || isKeyword(s.Name) || strings.HasPrefix(s.Name, "action.") || s.Name == "current_time" {
		return fmt.Errorf("fact %q: want a name of letters, digits and _.- that the language does not use", s.Name)
	}
	switch s.Type {
	case NumberFact:
	case BoolFact, AgeFact, TextFact, TextsFact:
		if s.Unit != "" {
			return fmt.Errorf("fact %q: unit %q, want one for numbers only", s.Name, s.Unit)
		}
	default:
		return fmt.Errorf("fact %q: type %q, want bool, number, age, text or texts", s.Name, s.Type)
	}
	return nil
}

// Facts are the values of one service at some time.
type Facts struct {
	vocabulary *Vocabulary
	values     []observed
	quick      []quick // the same values, as conditions read them
}

// quick is what decides most conditions, without pointers to follow.
type quick struct {
	form      form
	number    float64 // of a number
	at        int64   // observed, in nanoseconds since the epoch
	since     int64   // of an age
	staleness int64   // negative: none
}

type form uint8

const (
	unknownForm form = iota
	numberForm
	ageForm
	neverForm
	yesForm
	noForm
	otherForm
)

// nanos returns nanoseconds since 1970, at the ends of the range where it lies
// outside.
func nanos(t time.Time) int64 { return int64(t.Sub(epoch)) }

var epoch = time.Unix(0, 0)

func (v Value) form() form {
	switch {
	case v.Type == NumberFact:
		return numberForm
	case v.Type == AgeFact && v.Since.IsZero():
		return neverForm
	case v.Type == AgeFact:
		return ageForm
	case v.Type == BoolFact && v.Bool:
		return yesForm
	case v.Type == BoolFact:
		return noForm
	case v.Type == "":
		return unknownForm
	}
	return otherForm
}

type observed struct {
	Value Value     `json:"value"`
	At    time.Time `json:"at,omitzero"` // zero: never observed
}

// NewFacts returns facts of which nothing is known.
func (v *Vocabulary) NewFacts() *Facts {
	return &Facts{vocabulary: v, values: make([]observed, len(v.specs)), quick: make([]quick, len(v.specs))}
}

// Set records what was observed. An observation that is older than the known
// one changes nothing. The error says that the fact is not registered, or that
// the value is of another type or not finite.
func (f *Facts) Set(name string, v Value, at time.Time) error {
	i, ok := f.vocabulary.index[name]
	if !ok {
		return fmt.Errorf("fact %q: %w", name, ErrUnknownFact)
	}
	if want := f.vocabulary.specs[i].Type; v.Type != "" && v.Type != want {
		return fmt.Errorf("fact %q: value of type %s, want %s", name, v.Type, want)
	}
	if math.IsInf(v.Number, 0) || math.IsNaN(v.Number) {
		return fmt.Errorf("fact %q: value %v, want a finite number", name, v.Number)
	}
	if at.Before(f.values[i].At) {
		return nil
	}
	v.Texts = slices.Clone(v.Texts)
	f.put(i, observed{Value: v, At: at.Round(0).UTC()})
	return nil
}

func (f *Facts) put(i int, o observed) {
	f.values[i] = o
	f.quick[i] = quick{
		form: o.Value.form(), number: o.Value.Number, at: nanos(o.At), since: nanos(o.Value.Since),
		staleness: int64(f.vocabulary.specs[i].Staleness),
	}
}

// form returns the form of a value that still counts.
func (f *Facts) form(i int, now int64) form {
	q := &f.quick[i]
	if q.staleness >= 0 && now-q.at > q.staleness {
		return unknownForm
	}
	return q.form
}

// number returns a number or an age in seconds, NaN if unknown or never.
func (f *Facts) number(i int, now int64) (x float64, is form) {
	switch is = f.form(i, now); is {
	case numberForm:
		return f.quick[i].number, is
	case ageForm:
		return time.Duration(now - f.quick[i].since).Seconds(), is
	default:
		return math.NaN(), is
	}
}

// describe returns the value with its name, for people.
func (f *Facts) describe(i int, at time.Time) string {
	name, v := f.vocabulary.specs[i].Name, f.values[i].Value
	switch f.form(i, nanos(at)) {
	case unknownForm:
	case ageForm:
		return fmt.Sprintf("%s = %v", name, threshold.FormatDuration(at.Sub(v.Since).Truncate(time.Second)))
	default:
		return name + " = " + v.String()
	}
	if f.values[i].At.IsZero() {
		return name + " was never observed"
	}
	if f.values[i].Value.Type == "" {
		return name + " is missing"
	}
	return fmt.Sprintf("%s = %s is stale, of %s", name, f.values[i].Value, f.values[i].At.Format(time.RFC3339))
}
