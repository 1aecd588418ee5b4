package program

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Envelope is the head of every JSON result.
type Envelope struct {
	Schema   string    `json:"schema"`
	Now      time.Time `json:"now"`
	Sample   bool      `json:"sample,omitempty"` // made from the embedded sample
	Inputs   []Source  `json:"inputs"`
	Warnings []Notice  `json:"warnings"`
}

// Source is an input file of a result.
type Source struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Rows   *int   `json:"rows"` // null for files that are not tables
}

// Notice is something about the input that a reader should know.
type Notice struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Ref     *string `json:"ref"`
}

// NewSource describes an input by its bytes; rows below 0 means that it is not a
// table.
func NewSource(name string, data []byte, rows int) Source {
	sum := sha256.Sum256(data)
	s := Source{Name: name, SHA256: hex.EncodeToString(sum[:])}
	if rows >= 0 {
		s.Rows = &rows
	}
	return s
}

// JSON writes a result as the programs do: two blanks of indent, a final line
// end, and texts as they are.
func (e *Env) JSON(v any) error {
	text, err := Indented("", v)
	if err != nil {
		return err
	}
	_, err = e.Out.Write(append(text, '\n'))
	return err
}
