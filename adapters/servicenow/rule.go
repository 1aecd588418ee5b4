package servicenow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
)

// BusinessRule is the sender of events that [Client.NewReceiver] receives.
type BusinessRule struct {
	// Name of the rule in sys_script. Defaults to "evenkeel events".
	Name string
	// URL of the receiver, https. Required.
	URL string
	// SecretProperty is the system property that the rule reads its secret from, which
	// an administrator makes, of type password2, so that it is in no script. Defaults to
	// "evenkeel.webhook.secret".
	SecretProperty string
}

// KeepBusinessRule makes the business rule of Config.Table, or repairs one of that
// name that was changed or switched off; changed says whether it had to. The user
// needs the right to write sys_script. The secret is not the adapter's to set: see
// [BusinessRule.SecretProperty].
//
// The script is from documents alone (GlideCertificateEncryption.generateMac,
// GlideStringUtil, sn_ws.RESTMessageV2, "Business rules" of release australia); test
// it on an instance of yours before you rely on it.
func (c *Client) KeepBusinessRule(ctx context.Context, b BusinessRule) (changed bool, err error) {
	r := request{op: "keep_business_rule"}
	rule, err := c.rule(b)
	if err != nil {
		return false, c.fail(r, adapters.Invalid, err)
	}
	keys := []key{{"name", rule["name"]}, {"collection", rule["collection"]}}
	columns := make([]string, 0, len(rule))
	for column := range rule {
		columns = append(columns, column)
	}
	rows, err := c.lookUp(ctx, r, "sys_script", keys, append(columns, "sys_id"))
	switch {
	case err != nil:
		return false, err
	case len(rows) > 1:
		return false, c.fail(r, adapters.Conflict, fmt.Errorf("several business rules %q of table %s: delete all but one", rule["name"], rule["collection"]))
	}
	values, id := map[string]any{}, ""
	if len(rows) == 1 {
		id = rows[0]["sys_id"]
	}
	for column, want := range rule {
		if id == "" || strings.ReplaceAll(rows[0][column], "\r\n", "\n") != want {
			values[column] = want
		}
	}
	if len(values) == 0 {
		return false, nil
	}
	r.once = id == "" // a second one would send everything twice
	_, err = c.write(ctx, r, "sys_script", id, values, nil)
	return err == nil, err
}

var propertyName = regexp.MustCompile(`^[a-z0-9_.]+$`)

// rule returns the columns of the rule.
func (c *Client) rule(b BusinessRule) (Record, error) {
	if b.Name == "" {
		b.Name = "evenkeel events"
	}
	if b.SecretProperty == "" {
		b.SecretProperty = "evenkeel.webhook.secret"
	}
	u, err := url.Parse(b.URL)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil:
		return nil, errors.New("BusinessRule.URL: want an https URL without a user")
	case !propertyName.MatchString(b.SecretProperty):
		return nil, fmt.Errorf("BusinessRule.SecretProperty: %q, want the name of a system property", b.SecretProperty)
	}
	text := func(v any) string { // JSON is JavaScript
		data, _ := json.Marshal(v)
		return string(data)
	}
	return Record{
		"name": b.Name, "collection": c.config.Table, "when": "async", "active": "true", "advanced": "true", "order": "1000",
		"action_insert": "true", "action_update": "true", "action_delete": "true",
		"script": strings.NewReplacer("URL", text(b.URL), "SECRET", text(b.SecretProperty), "COLUMNS", text(c.EventColumns()), "HEADER", text(ingest.SignatureHeader)).Replace(ruleScript),
	}, nil
}

// ruleScript posts a record, signed as [ingest.Generic] says: the instance makes a MAC
// of a key in Base64, in Base64, and the signature is in hex.
const ruleScript = `(function executeRule(current, previous) {
	var record = {};
	var columns = COLUMNS;
	for (var i = 0; i < columns.length; i++) {
		record[columns[i]] = current.getValue(columns[i]) || '';
	}
	record.sys_id = current.getUniqueValue();
	var body = JSON.stringify({table: current.getTableName(), operation: current.operation() + '', record: record});
	var key = GlideStringUtil.base64Encode(gs.getProperty(SECRET));
	var mac = GlideStringUtil.base64DecodeAsBytes(new GlideCertificateEncryption().generateMac(key, 'HmacSHA256', body));
	var hex = '';
	for (var n = 0; n < mac.length; n++) {
		hex += ('0' + (mac[n] & 255).toString(16)).slice(-2);
	}
	var message = new sn_ws.RESTMessageV2();
	message.setEndpoint(URL);
	message.setHttpMethod('post');
	message.setRequestHeader('Content-Type', 'application/json');
	message.setRequestHeader(HEADER, 'v1=' + hex);
	message.setRequestBody(body);
	message.executeAsync();
})(current, previous);
`
