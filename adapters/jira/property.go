package jira

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

var errPropertyKey = errors.New("want a key of 1 to 255 letters, digits, dots, hyphens or underscores")

func propertyKey(key string) bool {
	return key != "." && key != ".." && len(key) <= 255 && word(strings.ReplaceAll(key, ".", "_"))
}

// SetProperty stores a value under a key of an issue, where people do not see it,
// at most 32,768 characters of JSON.
func (c *Client) SetProperty(ctx context.Context, ref adapters.Ref, key string, value any) error {
	const op = "set_property"
	id, err := c.issueID(op, ref)
	if err != nil {
		return err
	}
	if !propertyKey(key) {
		return c.fail(op, ref.Tenant, adapters.Invalid, errPropertyKey.Error(), errPropertyKey)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return c.fail(op, ref.Tenant, adapters.Invalid, "value cannot be written as JSON", err)
	}
	if n := units(string(text)); n > maxProperty {
		return c.fail(op, ref.Tenant, adapters.TooLarge, fmt.Sprintf("property has %d characters, want at most %d", n, maxProperty), nil)
	}
	_, err = c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodPut, route: "rest/api/2/issue/{issue}/properties/{key}", args: []string{id, key},
		body: json.RawMessage(text), issue: id, repeatable: true,
	})
	return err
}

// Property reads a value into what into points to. The error is
// [adapters.NotFound] if there is none.
func (c *Client) Property(ctx context.Context, ref adapters.Ref, key string, into any) error {
	const op = "property"
	id, err := c.issueID(op, ref)
	if err != nil {
		return err
	}
	if !propertyKey(key) {
		return c.fail(op, ref.Tenant, adapters.Invalid, errPropertyKey.Error(), errPropertyKey)
	}
	answer := struct {
		Value any `json:"value"`
	}{into}
	_, err = c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodGet, route: "rest/api/2/issue/{issue}/properties/{key}", args: []string{id, key},
		into: &answer, repeatable: true,
	})
	return err
}
