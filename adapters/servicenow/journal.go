package servicenow

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Journals of a task, and whether the caller reads them.
const (
	workNotes = "work_notes"
	comments  = "comments"
)

// The marker of a note's key is the last line of its text.
const (
	markerBegin = "[evenkeel note "
	markerEnd   = "]"
)

func marker(noteKey string) string { return markerBegin + noteKey + markerEnd }

// Note adds a work note, or a comment that the caller reads if it is public. The
// instance appends whatever it gets, so a note that has a Key carries it in its last
// line, is looked for before it is written and again after an outcome that is not
// known, and is there once. Without a key an unknown outcome is left to the caller.
func (c *Client) Note(ctx context.Context, ref adapters.Ref, n adapters.Note) error {
	return c.note(ctx, "note", ref, n)
}

// Publish tells the caller and the watch list of a ticket how it stands, by a
// comment of subject and message. The text is its own key: publishing it again
// adds nothing.
func (c *Client) Publish(ctx context.Context, ref adapters.Ref, subject, message string) error {
	text := strings.TrimPrefix(subject+"\n\n"+message, "\n\n")
	return c.note(ctx, "publish", ref, adapters.Note{
		Text: text, Public: true, Key: adapters.Key{Tenant: ref.Tenant, Incident: ref.ID, Step: "publish", Target: text}.String()[:32],
	})
}

func (c *Client) note(ctx context.Context, op string, ref adapters.Ref, n adapters.Note) error {
	r, err := c.on(op, ref)
	if err != nil {
		return err
	}
	journal := workNotes
	if n.Public {
		journal = comments
	}
	if strings.TrimSpace(n.Text) == "" {
		return c.fail(r, adapters.Invalid, errors.New("note without text"))
	}
	r.once = true
	values := map[string]any{journal: defuse(n.Text)}
	write := func() error {
		_, err := c.write(ctx, r, ref.Type, ref.ID, values, nil)
		return err
	}
	if len(n.Key) > 64 || strings.ContainsAny(n.Key, "[]\r\n") {
		return c.fail(r, adapters.Invalid, fmt.Errorf("key %q of a note: want at most 64 characters without brackets and line breaks", n.Key))
	}
	if err := c.own(ctx, r, ref); err != nil {
		return err
	}
	if n.Key == "" {
		return write()
	}
	values[journal] = defuse(n.Text) + "\n" + marker(n.Key)
	written := func() (bool, error) {
		look := r
		look.once = false
		q := Where("element_id", Equal, ref.ID).And("element", Equal, journal).And("value", Contains, marker(n.Key))
		rows, _, err := c.page(ctx, look, "sys_journal_field", q, journalColumns, 2, 0)
		if err != nil {
			return false, err
		}
		for _, row := range rows {
			if row["element_id"] != ref.ID || row["element"] != journal || !strings.Contains(row["value"], marker(n.Key)) {
				return false, c.fail(r, adapters.BadResponse, errors.New("the instance ignored a part of the query for a note"))
			}
		}
		return len(rows) > 0, nil
	}
	if there, err := written(); err != nil || there {
		return err
	}
	return c.settle(ctx, write, written)
}

var journalColumns = []string{"sys_id", "element", "element_id", "value", "sys_created_on", "sys_created_by"}

// Notes reads work notes and comments, oldest first. Keys are taken out of the text.
func (c *Client) Notes(ctx context.Context, ref adapters.Ref) iter.Seq2[adapters.Note, error] {
	return func(yield func(adapters.Note, error) bool) {
		r, err := c.on("notes", ref)
		if err != nil {
			yield(adapters.Note{}, err)
			return
		}
		q := Where("element_id", Equal, ref.ID).And("element", OneOf, workNotes, comments)
		for row, err := range c.walk(ctx, r, "sys_journal_field", q, journalColumns, createdOn, place{}) {
			if err == nil && (row["element_id"] != ref.ID || row["element"] != workNotes && row["element"] != comments) {
				err = c.fail(r, adapters.BadResponse, errors.New("the instance ignored a part of the query for notes"))
			}
			if err != nil {
				yield(adapters.Note{}, err)
				return
			}
			at, err := ParseTime(row["sys_created_on"])
			if err != nil {
				yield(adapters.Note{}, c.fail(r, adapters.BadResponse, err))
				return
			}
			text, noteKey := unmark(row["value"])
			if !yield(adapters.Note{
				ID: row["sys_id"], Text: text, Public: row["element"] == comments, Author: row["sys_created_by"], At: at, Key: noteKey,
			}, nil) {
				return
			}
		}
	}
}

func unmark(text string) (plain, noteKey string) {
	i := strings.LastIndex(text, "\n"+markerBegin)
	if i < 0 {
		return text, ""
	}
	noteKey, ok := strings.CutSuffix(strings.TrimSpace(text[i+1+len(markerBegin):]), markerEnd)
	if !ok || strings.Contains(noteKey, markerEnd) {
		return text, ""
	}
	return text[:i], noteKey
}
