package sync

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// tag begins a note that was forwarded. It names the note that it is a copy of, and
// survives systems that cut texts at their end.
func (f Forwarded) tag() string { return fmt.Sprintf("[%s %s]", f.From, f.ID) }

// forward takes notes from each side to the others. A note whose arrival is not
// known is looked for before it is written again, because notes are read first.
func (j *job) forward(ctx context.Context) error {
	var sides []*Side
	for i := range j.config.Sides {
		side := &j.config.Sides[i]
		st := j.r.Sides[side.Name]
		if side.Notes && st != nil && !st.Ref.IsZero() && !st.Gone {
			sides = append(sides, side)
		}
	}
	unread := map[string]bool{}
	for _, side := range sides {
		if err := j.readNotes(ctx, side); err != nil {
			unread[side.Name] = true
			if err := j.fail(ctx, side.Name, err); err != nil {
				return err
			}
		}
	}
	if err := j.save(ctx); err != nil {
		return err
	}
	for i := range j.r.Notes {
		if err := j.copyNote(ctx, &j.r.Notes[i], sides, unread); err != nil {
			return err
		}
	}
	return nil
}

// readNotes takes in the notes of a side: those that people wrote there, and copies
// that have arrived.
func (j *job) readNotes(ctx context.Context, side *Side) error {
	reader, ok := side.System.(adapters.NoteReader)
	if !ok {
		return nil
	}
	st := j.r.Sides[side.Name]
	for _, ref := range append(slices.Clone(st.Past), st.Ref) {
		for n, err := range reader.Notes(ctx, ref) {
			if err != nil {
				return err
			}
			j.take(side, n)
		}
	}
	return nil
}

// take takes in one note.
func (j *job) take(side *Side, n adapters.Note) {
	known := func(f Forwarded) bool { return f.From == side.Name && f.ID == n.ID }
	if j.copied(side, n.Text) || slices.ContainsFunc(j.r.Notes, known) {
		return
	}
	f := Forwarded{From: side.Name, ID: n.ID, Public: n.Public}
	f.Text = f.tag() + " " + n.Text
	if n.Author != "" {
		f.Text = fmt.Sprintf("%s %s: %s", f.tag(), n.Author, n.Text)
	}
	for _, other := range j.config.Sides { // also those whose ticket is yet to be opened
		if _, ok := other.System.(adapters.Noter); ok && other.Notes && other.Name != side.Name {
			f.To = append(f.To, other.Name)
		}
	}
	j.r.Notes = append(j.r.Notes, f)
}

// copied reports whether a note is a copy of one of another side, and notes that
// it has arrived.
func (j *job) copied(side *Side, text string) bool {
	text = plain(text)
	for i := range j.r.Notes {
		f := &j.r.Notes[i]
		if f.From != side.Name && strings.HasPrefix(text, f.tag()) {
			f.arrived(side.Name)
			return true
		}
	}
	// A copy whose record was lost is a copy all the same.
	return slices.ContainsFunc(j.config.Sides, func(s Side) bool {
		return s.Name != side.Name && strings.HasPrefix(text, "["+s.Name+" ")
	})
}

func (f *Forwarded) arrived(side string) {
	f.To = slices.DeleteFunc(f.To, func(to string) bool { return to == side })
	if len(f.To) == 0 {
		f.Text = ""
	}
}

// copyNote writes a note to the sides that need it, except those whose notes could
// not be read: it may be there.
func (j *job) copyNote(ctx context.Context, f *Forwarded, sides []*Side, unread map[string]bool) error {
	for _, side := range sides {
		if !slices.Contains(f.To, side.Name) || unread[side.Name] {
			continue
		}
		key := adapters.Key{Tenant: j.r.Tenant, Incident: j.r.ID, Step: "note " + f.tag(), Target: side.Name}.String()
		err := side.System.(adapters.Noter).Note(ctx, j.r.Sides[side.Name].Ref, adapters.Note{Text: f.Text, Public: f.Public, Key: key})
		switch {
		case err == nil:
			f.arrived(side.Name)
		case refused(err):
			f.arrived(side.Name)
			j.tell(Conflict{At: j.config.Now(), Side: side.Name, Value: f.Text, Reason: Refused, Text: err.Error()})
		default:
			if err := j.fail(ctx, side.Name, err); err != nil {
				return err
			}
		}
		if err := j.save(ctx); err != nil {
			return err
		}
	}
	return nil
}
