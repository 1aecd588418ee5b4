package jira

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	sdk "github.com/andygrunwald/go-jira"

	"github.com/evenkeelops/evenkeel/adapters"
)

// comment is a comment as the platform gives it.
type comment struct {
	ID         string                 `json:"id"`
	Body       string                 `json:"body"`
	Author     *sdk.User              `json:"author"`
	Created    sdk.Time               `json:"created"`
	Visibility *sdk.CommentVisibility `json:"visibility"`
	// JSDPublic is there on Cloud; Data Center says the same in a property.
	JSDPublic  *bool `json:"jsdPublic"`
	Properties []struct {
		Key   string          `json:"key"`
		Value json.RawMessage `json:"value"`
	} `json:"properties"`
}

// property returns the value of a property, nil without it.
func (o comment) property(key string) json.RawMessage {
	for _, p := range o.Properties {
		if p.Key == key {
			return p.Value
		}
	}
	return nil
}

// key is the one under which we wrote it.
func (o comment) key(property string) string {
	var m mark
	_ = json.Unmarshal(o.property(property), &m) // none: no key
	return m.Key
}

// public reports whether customers or everybody may read it.
func (o comment) public() bool {
	var hidden struct {
		Internal bool `json:"internal"`
	}
	_ = json.Unmarshal(o.property("sd.public.comment"), &hidden)
	return o.Visibility == nil && (o.JSDPublic == nil || *o.JSDPublic) && !hidden.Internal
}

// Note adds a comment. With a key a comment is written once: it is looked for
// before it is written, and again after a lost answer. Without one a lost answer is
// [adapters.OutcomeUnknown]. A text over 32,767 characters is cut and attached
// whole.
//
// A note that is not public is internal in a service desk and else restricted to
// [Config].InternalRole, if there is one.
func (c *Client) Note(ctx context.Context, ref adapters.Ref, n adapters.Note) error {
	return c.note(ctx, "note", ref, n)
}

func (c *Client) note(ctx context.Context, op string, ref adapters.Ref, n adapters.Note) error {
	if _, err := c.issueID(op, ref); err != nil {
		return err
	}
	if n.Text == "" {
		return c.fail(op, ref.Tenant, adapters.Invalid, "text missing", nil)
	}
	text, cut := fit(n.Text, maxText, cutNote)
	if cut {
		name := "comment-" + stepKey(ref, op, n.Text)[:12] + ".txt"
		if err := c.attach(ctx, op, ref, adapters.Attachment{Name: name, ContentType: "text/plain; charset=utf-8", Content: []byte(n.Text)}, true); err != nil {
			return err
		}
		c.config.OnCut(ref, []Cut{{Field: "comment", Had: units(n.Text), Kept: units(text)}})
	}
	const tries = 3
	var failed error
	for i := 0; ; i++ {
		if n.Key != "" {
			there, err := c.noted(ctx, op, ref, n.Key, text)
			if err != nil || there {
				return err
			}
		}
		if i == tries {
			return failed
		}
		failed = c.comment(ctx, op, ref, n, text)
		if failed == nil || n.Key == "" || !mayHaveApplied(failed) || ctx.Err() != nil {
			return failed
		}
	}
}

// comment writes a comment once.
func (c *Client) comment(ctx context.Context, op string, ref adapters.Ref, n adapters.Note, text string) error {
	if c.config.ServiceDesk {
		return c.deskComment(ctx, op, ref, n, text)
	}
	// Not the comment of the SDK, which sends an author and so a field that may only
	// be read.
	body := map[string]any{"body": text}
	if n.Key != "" {
		body["properties"] = []any{map[string]any{"key": c.config.Property, "value": map[string]any{"key": n.Key}}}
	}
	if !n.Public && c.config.InternalRole != "" {
		body["visibility"] = map[string]any{"type": "role", "value": c.config.InternalRole}
	}
	_, err := c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodPost, route: "rest/api/2/issue/{issue}/comment", args: []string{ref.ID}, body: body, issue: ref.ID,
	})
	return err
}

// noted reports whether a comment of a key is there. In a service desk the key is
// added after the comment, so one of ours with the same text and without a key is
// taken for it.
func (c *Client) noted(ctx context.Context, op string, ref adapters.Ref, key, text string) (bool, error) {
	var self *user
	if c.config.ServiceDesk {
		var err error
		if self, err = c.myself(ctx); err != nil {
			return false, err
		}
	}
	for o, err := range c.comments(ctx, op, ref) {
		if err != nil {
			return false, err
		}
		if k := o.key(c.config.Property); k == key {
			return true, nil
		} else if k == "" && self.is(o.Author) && o.Body == text {
			return true, c.markComment(ctx, op, ref, o.ID, key)
		}
	}
	return false, nil
}

// comments reads all comments, oldest first.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issue-comments/#api-rest-api-2-issue-issueidorkey-comment-get
func (c *Client) comments(ctx context.Context, op string, ref adapters.Ref) iter.Seq2[comment, error] {
	return func(yield func(comment, error) bool) {
		id, err := c.issueID(op, ref)
		if err != nil {
			yield(comment{}, err)
			return
		}
		seen := map[string]bool{}
		for start := 0; ; {
			var page struct {
				Comments []comment `json:"comments"`
				Total    int       `json:"total"`
			}
			_, err := c.do(ctx, request{
				op: op, tenant: ref.Tenant, method: http.MethodGet, route: "rest/api/2/issue/{issue}/comment", args: []string{id},
				query:      url.Values{"startAt": {strconv.Itoa(start)}, "maxResults": {strconv.Itoa(pageSize)}, "orderBy": {"created"}, "expand": {"properties"}},
				repeatable: true, into: &page,
			})
			if err != nil {
				yield(comment{}, err)
				return
			}
			for _, o := range page.Comments {
				if !seen[o.ID] && !yield(o, nil) {
					return
				}
				seen[o.ID] = true
			}
			start += len(page.Comments)
			if len(page.Comments) == 0 || start >= page.Total {
				return
			}
		}
	}
}

// Notes reads the comments, oldest first.
func (c *Client) Notes(ctx context.Context, ref adapters.Ref) iter.Seq2[adapters.Note, error] {
	return func(yield func(adapters.Note, error) bool) {
		for o, err := range c.comments(ctx, "notes", ref) {
			if err != nil {
				yield(adapters.Note{}, err)
				return
			}
			if !yield(c.noteOf(o), nil) {
				return
			}
		}
	}
}

func (c *Client) noteOf(o comment) adapters.Note {
	return adapters.Note{ID: o.ID, Text: o.Body, Public: o.public(), Author: userID(o.Author), At: utc(o.Created), Key: o.key(c.config.Property)}
}
