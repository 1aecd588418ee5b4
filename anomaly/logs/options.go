package logs

import (
	"fmt"
	"slices"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// Preset chooses how lines are grouped.
type Preset uint8

const (
	// Default masks values by type, keeps levels apart and merges families of
	// templates.
	Default Preset = iota
	// Drain is the fixed-depth tree of He, Zhu, Zheng, Lyu, "Drain: An Online Log
	// Parsing Approach with Fixed Depth Tree" (ICWS 2017), as Drain3 has it at commit
	// 0fb6d6e: token for token the same templates, ids and evictions. Its weaknesses
	// are kept: a line of another length is another template, ERROR and INFO may
	// merge, and a learned line may not match afterwards.
	Drain
)

var presetNames = []string{"default", "drain"}

// String returns default or drain.
func (p Preset) String() string { return enum.String(presetNames, "preset", uint8(p)) }

// MarshalText returns the text of String; a number without one is an error.
func (p Preset) MarshalText() ([]byte, error) {
	return enum.Text(presetNames, "logs", "preset", uint8(p))
}

// UnmarshalText reads what MarshalText writes.
func (p *Preset) UnmarshalText(text []byte) error {
	n, err := enum.Parse(presetNames, "logs", "preset", text)
	if err == nil {
		*p = Preset(n)
	}
	return err
}

// Values says which values of wildcards are kept.
type Values uint8

const (
	// NoValues keeps none.
	NoValues Values = iota
	// NumberValues keeps what numbers are, and of other kinds only how many differ.
	NumberValues
	// AllValues keeps the most frequent texts too. They may be secrets.
	AllValues
)

var valuesNames = []string{"none", "numbers", "all"}

// String returns none, numbers or all.
func (v Values) String() string { return enum.String(valuesNames, "values", uint8(v)) }

// MarshalText returns the text of String; a number without one is an error.
func (v Values) MarshalText() ([]byte, error) {
	return enum.Text(valuesNames, "logs", "values", uint8(v))
}

// UnmarshalText reads what MarshalText writes.
func (v *Values) UnmarshalText(text []byte) error {
	n, err := enum.Parse(valuesNames, "logs", "values", text)
	if err == nil {
		*v = Values(n)
	}
	return err
}

// Options are the choices of a [Miner]. The zero value is the default of each.
type Options struct {
	// Preset chooses the way of grouping. Defaults to Default.
	Preset Preset
	// Similarity is the share of equal tokens from which a line joins a template, in
	// (0, 1]. Defaults to 0.8, with Drain to 0.4.
	Similarity float64
	// MaxTemplates is the number of templates kept; the one not used for longest is
	// evicted. Defaults to 10000, with Drain to no limit. -1 is no limit.
	MaxTemplates int
	// MaxBytes is the memory for templates, by estimate, below which the miner stays
	// by evicting. Defaults to 64 MiB, with Drain to no limit. -1 is no limit.
	MaxBytes int64
	// MaxPerKey is the number of templates that share length and first word; a further
	// one evicts the one of them that was not used for longest. It bounds the cost of a
	// line. Defaults to 256. Not used by Drain.
	MaxPerKey int
	// MaxLine is how many bytes of a line count. Defaults to 16384, with Drain to no
	// limit.
	MaxLine int
	// MaxTokens is how many tokens of a line count. Defaults to 512. Not used by Drain.
	MaxTokens int
	// Values says which values of wildcards are kept. Defaults to NoValues. Not used
	// by Drain.
	Values Values

	// Depth is the depth of the tree of Drain, 3 to 1024. Defaults to 4.
	Depth int
	// MaxChildren is the number of children of a node of the tree of Drain. Defaults
	// to 100.
	MaxChildren int
	// Delimiters are texts that Drain replaces by a blank. Defaults to none.
	Delimiters []string
	// KeepNumeric gives tokens with a digit children of their own in the tree of
	// Drain. Defaults to putting them under the wildcard.
	KeepNumeric bool
}

// OptionError reports an option outside its range.
type OptionError struct {
	// Option names the field.
	Option string
	// Value is what it held.
	Value any
	// Want describes what is accepted.
	Want string
}

// Error says what was found and what is wanted.
func (e *OptionError) Error() string {
	return fmt.Sprintf("logs: option %s is %v, want %s", e.Option, e.Value, e.Want)
}

// noLimit stands for the largest number in limits.
const noLimit = 1<<30 - 1

// maxDepth bounds the depth of the tree of Drain.
const maxDepth = 1024

// normal fills in the defaults.
func (o Options) normal() (Options, error) {
	bad := func(option string, value any, want string) (Options, error) {
		return Options{}, &OptionError{Option: option, Value: value, Want: want}
	}
	drain := o.Preset == Drain
	limit := func(n *int, standard, drains int) {
		switch {
		case *n == 0 && drain:
			*n = drains
		case *n == 0:
			*n = standard
		}
	}
	switch {
	case o.Preset > Drain:
		return bad("Preset", uint8(o.Preset), "Default or Drain")
	case o.Values > AllValues:
		return bad("Values", uint8(o.Values), "NoValues, NumberValues or AllValues")
	case !(o.Similarity >= 0 && o.Similarity <= 1):
		return bad("Similarity", o.Similarity, "a number in (0, 1], or 0 for the default")
	case o.MaxTemplates < -1:
		return bad("MaxTemplates", o.MaxTemplates, "a positive number, 0 for the default or -1 for no limit")
	case o.MaxBytes < -1:
		return bad("MaxBytes", o.MaxBytes, "a positive number, 0 for the default or -1 for no limit")
	case o.MaxPerKey < 0:
		return bad("MaxPerKey", o.MaxPerKey, "a positive number, or 0 for the default")
	case o.MaxLine < 0 || o.MaxLine > noLimit:
		return bad("MaxLine", o.MaxLine, "a positive number, or 0 for the default")
	case o.MaxTokens < 0 || o.MaxTokens > noLimit:
		return bad("MaxTokens", o.MaxTokens, "a positive number, or 0 for the default")
	case o.Depth != 0 && (o.Depth < 3 || o.Depth > maxDepth):
		return bad("Depth", o.Depth, "3 to 1024, or 0 for the default")
	case o.MaxChildren < 0:
		return bad("MaxChildren", o.MaxChildren, "a positive number, or 0 for the default")
	case slices.Contains(o.Delimiters, ""):
		return bad("Delimiters", fmt.Sprintf("%q", o.Delimiters), "texts that are not empty")
	}
	if o.Similarity == 0 {
		o.Similarity = 0.8
		if drain {
			o.Similarity = 0.4
		}
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 64 << 20
		if drain {
			o.MaxBytes = -1
		}
	}
	limit(&o.MaxTemplates, 10_000, -1)
	limit(&o.MaxPerKey, 256, 256)
	limit(&o.MaxLine, 16<<10, noLimit)
	limit(&o.MaxTokens, 512, 512)
	limit(&o.Depth, 4, 4)
	limit(&o.MaxChildren, 100, 100)
	o.Delimiters = slices.Clone(o.Delimiters)
	return o, nil
}
