package jira

import (
	"bytes"
	"context"
	"errors"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Attach adds a file. After a lost answer it is looked for by name and size before
// it is sent again. Sending the same file in two calls adds it twice.
func (c *Client) Attach(ctx context.Context, ref adapters.Ref, a adapters.Attachment) error {
	return c.attach(ctx, "attach", ref, a, false)
}

// attach adds a file, unless once is set and one of its name and size is there.
func (c *Client) attach(ctx context.Context, op string, ref adapters.Ref, a adapters.Attachment, once bool) error {
	id, err := c.issueID(op, ref)
	if err != nil {
		return err
	}
	if a.Name == "" || strings.ContainsAny(a.Name, "/\\\"\r\n") {
		return c.fail(op, ref.Tenant, adapters.Invalid, "name of attachment: want a name without slashes, quotes and line ends", nil)
	}
	body, err := fileForm(a)
	if err != nil {
		return c.fail(op, ref.Tenant, adapters.Invalid, "attachment cannot be written", err)
	}
	had := 0
	if !once {
		if had, err = c.attached(ctx, op, ref, a); err != nil {
			return err
		}
	}
	const tries = 3
	var failed error
	for n := 0; ; n++ {
		if once || failed != nil {
			switch has, err := c.attached(ctx, op, ref, a); {
			case err != nil:
				return err
			case has > had:
				return nil
			case n == tries:
				return failed
			}
		}
		_, failed = c.do(ctx, request{
			op: op, tenant: ref.Tenant, method: http.MethodPost, route: "rest/api/2/issue/{issue}/attachments", args: []string{id}, body: body, issue: id,
		})
		if failed == nil || !mayHaveApplied(failed) || ctx.Err() != nil {
			return failed
		}
	}
}

// attached counts the files of a name and size.
func (c *Client) attached(ctx context.Context, op string, ref adapters.Ref, a adapters.Attachment) (int, error) {
	i, err := c.issue(ctx, op, ref, []string{"attachment"})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, has := range i.Fields.Attachments {
		if has != nil && has.Filename == a.Name && has.Size == len(a.Content) {
			n++
		}
	}
	return n, nil
}

// fileForm writes a file as Jira takes it.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issue-attachments/#api-rest-api-2-issue-issueidorkey-attachments-post
func fileForm(a adapters.Attachment) (multipartBody, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	contentType := a.ContentType
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	if strings.ContainsAny(contentType, "\r\n") {
		return multipartBody{}, errors.New("content type has a line end")
	}
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="` + a.Name + `"`},
		"Content-Type":        {contentType},
	})
	if err == nil {
		_, err = part.Write(a.Content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return multipartBody{}, err
	}
	return multipartBody{content: b.Bytes(), contentType: w.FormDataContentType()}, nil
}
