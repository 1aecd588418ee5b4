package sync

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// A tag has the first digits of a check, and is looked for at the beginning of a text
// only so far: no vendor has ids of such a length, and people may write texts of any.
const (
	checkDigits = 12
	longestTag  = 1000
)

// tag begins a note that was forwarded. It names the note that it is a copy of, ends
// with a check that nobody types, and survives systems that cut texts at their end.
func (r *Record) tag(from, id string) string {
	check := adapters.Key{Tenant: r.Tenant, Incident: r.ID, Step: "note " + id, Target: from}.String()
	return fmt.Sprintf("[%s %s %s]", from, id, check[:checkDigits])
}

// tagged reports whether a text begins with the tag of a note of a side.
func (r *Record) tagged(text, from string) bool {
	rest, ok := strings.CutPrefix(text, "["+from+" ")
	if !ok {
		return false
	}
	rest = rest[:min(len(rest), longestTag)]
	for i := range len(rest) { // an id may have spaces and brackets
		at := i - checkDigits - 1
		if rest[i] != ']' || at < 0 || rest[at] != ' ' || strings.Trim(rest[at+1:i], "0123456789abcdef") != "" {
			continue
		}
		if strings.HasPrefix(text, r.tag(from, rest[:at])) {
			return true
		}
	}
	return false
}

// sum tells one text from another.
func sum(text string) string {
	s := sha256.Sum256([]byte(plain(text)))
	return hex.EncodeToString(s[:8])
}

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
	j.r.forget(j.config.Now(), unread)
	return nil
}

const (
	maxNotes = 200
	// settled is how old a note is before it may be forgotten: no vendor shows one of
	// that age for the first time.
	settled = time.Hour
)

// forget drops the oldest notes that are everywhere, and notes up to when; not those of
// sides that were not read to the end, of which older ones may be yet to come.
func (r *Record) forget(now time.Time, unread map[string]bool) {
	done := map[string]int{}
	for _, f := range r.Notes {
		if len(f.To) == 0 {
			done[f.From]++
		}
	}
	r.Notes = slices.DeleteFunc(r.Notes, func(f Forwarded) bool {
		st := r.Sides[f.From]
		if len(f.To) > 0 || done[f.From] <= maxNotes || st == nil || unread[f.From] || f.At.IsZero() || now.Sub(f.At) < settled {
			return false
		}
		done[f.From]--
		if f.At.After(st.Forgotten) {
			st.Forgotten = f.At
		}
		return true
	})
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
	if !n.At.IsZero() && !n.At.After(j.r.Sides[side.Name].Forgotten) ||
		j.ours(n.Text) || j.copied(side, n) || slices.ContainsFunc(j.r.Notes, known) {
		return
	}
	f := Forwarded{From: side.Name, ID: n.ID, At: n.At, Public: n.Public}
	tag := j.r.tag(f.From, f.ID)
	f.Text = tag + " " + n.Text
	if n.Author != "" {
		f.Text = fmt.Sprintf("%s %s: %s", tag, n.Author, n.Text)
	}
	f.Sum = sum(f.Text)
	for _, other := range j.config.Sides { // also those whose ticket is yet to be opened
		if _, ok := other.System.(adapters.Noter); ok && other.Notes && other.Name != side.Name {
			f.To = append(f.To, other.Name)
		}
	}
	j.r.Notes = append(j.r.Notes, f)
}

// ours reports whether a note is what a vendor made of the reason that we gave it.
func (j *job) ours(text string) bool {
	text = plain(text)
	return text == j.reopened() || slices.ContainsFunc(adapters.States[:], func(s adapters.State) bool { return text == j.ended(s) })
}

// copied reports whether a note is a copy of one of another side, and notes that
// it has arrived. A note that begins like a copy and is neither the one that is known
// nor the same text is of somebody who quotes it.
func (j *job) copied(side *Side, n adapters.Note) bool {
	text := plain(n.Text)
	for i := range j.r.Notes {
		f := &j.r.Notes[i]
		if f.From == side.Name || !strings.HasPrefix(text, "["+f.From+" "+f.ID+" ") || !strings.HasPrefix(text, j.r.tag(f.From, f.ID)) {
			continue
		}
		known, same := f.Copies[side.Name], sum(text) == f.Sum
		if known != "" && known != n.ID && !same {
			return false
		}
		if known == "" || same {
			if f.Copies == nil {
				f.Copies = map[string]string{}
			}
			f.Copies[side.Name] = n.ID
		}
		f.arrived(side.Name)
		return true
	}
	// A copy whose record was lost is a copy all the same.
	return slices.ContainsFunc(j.config.Sides, func(s Side) bool { return s.Name != side.Name && j.r.tagged(text, s.Name) })
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
		key := adapters.Key{Tenant: j.r.Tenant, Incident: j.r.ID, Step: "note " + j.r.tag(f.From, f.ID), Target: side.Name}.String()
		note := adapters.Note{Text: f.Text, Public: f.Public, Key: key}
		err := side.System.(adapters.Noter).Note(ctx, j.r.Sides[side.Name].Ref, note)
		if note.Public && errors.Is(err, adapters.Unsupported) { // where the public reads no notes, its people do
			note.Public = false
			err = side.System.(adapters.Noter).Note(ctx, j.r.Sides[side.Name].Ref, note)
		}
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
