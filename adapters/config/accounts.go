package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/evenkeelops/evenkeel/roi/showback"
)

type accountsFile struct {
	Version int `yaml:"version"`
	showback.Book
}

// ParseAccounts reads a file with a month's costs, the keys by which they are spread, and who is
// charged: the fields of [showback.Book]. It closes the month as well: a file that cannot be
// closed is an error, and the closing is the second result.
func ParseAccounts(name string, data []byte) (showback.Book, *showback.Closing, *Document, error) {
	var file accountsFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	for _, key := range []string{"currency", "items", "month"} {
		d.missing(key)
	}
	if err := d.Err(); err != nil {
		return file.Book, nil, d, err
	}
	closing, err := showback.Close(&file.Book)
	for _, e := range split(err) {
		d.accountError(e)
	}
	return file.Book, closing, d, d.Err()
}

// accountError places a problem of package showback.
func (d *Document) accountError(err error) {
	bad := (*showback.FieldError)(nil)
	if !errors.As(err, &bad) {
		d.Fail("", "out_of_range", "%v", err)
		return
	}
	path := bad.Path
	switch {
	case path == "base":
		path = "currency"
	case strings.HasSuffix(path, `"]`): // budget["a"] stands at budget.a
		path = strings.NewReplacer(`["`, ".", `"]`, "").Replace(path)
	}
	path, _, _ = strings.Cut(path, " and ")
	message := fmt.Sprintf("%q, want %s", bad.Value, bad.Want)
	if bad.Err != nil {
		message += ": " + bad.Err.Error()
	}
	d.Fail(path, "out_of_range", "%s", message)
}
