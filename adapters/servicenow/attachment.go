package servicenow

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Attach adds a file to a row. A file of the same name and size that the row has
// already is taken for it, so that it is there once, whatever became of an earlier
// try; give contents that differ names that differ.
// https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_AttachmentAPI.html
func (c *Client) Attach(ctx context.Context, ref adapters.Ref, a adapters.Attachment) error {
	r, err := c.on("attach", ref)
	if err != nil {
		return err
	}
	if err := c.own(ctx, r, ref); err != nil {
		return err
	}
	return c.attach(ctx, r, ref, a)
}

func (c *Client) attach(ctx context.Context, r request, ref adapters.Ref, a adapters.Attachment) error {
	switch {
	case a.Name == "" || len(a.Name) > 100 || strings.ContainsAny(a.Name, "/\\\r\n"):
		return c.fail(r, adapters.Invalid, fmt.Errorf("name of a file %q: want 1 to 100 bytes without slashes and line breaks", a.Name))
	case len(a.Content) == 0:
		return c.fail(r, adapters.Invalid, errors.New("file without content"))
	}
	there := func() (bool, error) {
		keys := []key{
			{"table_name", ref.Type}, {"table_sys_id", ref.ID}, {"file_name", a.Name}, {"size_bytes", strconv.Itoa(len(a.Content))},
		}
		rows, err := c.lookUp(ctx, r, "sys_attachment", keys, []string{"sys_id"})
		return len(rows) > 0, err
	}
	if found, err := there(); err != nil || found {
		return err
	}
	upload := r
	upload.once, upload.method, upload.path, upload.body = true, "POST", "api/now/attachment/file", a.Content
	upload.contentType = a.ContentType
	if upload.contentType == "" {
		upload.contentType = "application/octet-stream"
	}
	upload.query = url.Values{"table_name": {ref.Type}, "table_sys_id": {ref.ID}, "file_name": {a.Name}}
	return c.settle(ctx, func() error {
		_, err := c.do(ctx, upload, nil)
		return err
	}, there)
}
