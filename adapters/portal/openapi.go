package portal

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// operation is what a route does, for its readers.
type operation struct {
	ID, Summary string
	Type        string      // media type of the answer, "" for none
	Schema      string      // of an answer of the API, such as "status/v1"
	Query       []parameter // beside ?k= of the feeds
	Form        []string    // fields of the body, if it is a form
	Body        string      // schema of the body, if it is JSON
	Code        int         // of success. Defaults to 200.
}

// parameter is one of the query.
type parameter struct {
	Name, About string
	Values      []string // nil for any
}

// object is a JSON object of the document; its keys are written in order of the alphabet.
type object = map[string]any

// openAPI describes the routes by OpenAPI 3.1
// (https://spec.openapis.org/oas/v3.1.1.html).
func openAPI(base, brand string, routes []route) []byte {
	paths := object{}
	for _, r := range routes {
		at := strings.ReplaceAll(r.path, "{$}", "")
		methods, _ := paths[at].(object)
		if methods == nil {
			methods = object{}
			paths[at] = methods
		}
		methods[strings.ToLower(r.method)] = r.describe()
	}
	doc := object{
		"openapi": "3.1.0",
		"info": object{
			"title": strings.TrimSpace(brand + " status"), "version": "1",
			"description": "What does not exist, and what the caller may not see, is answered by the same 404.",
		},
		"servers": []any{object{"url": base}},
		"paths":   paths,
		"components": object{
			"securitySchemes": object{
				"token":   object{"type": "http", "scheme": "bearer"},
				"session": object{"type": "apiKey", "in": "cookie", "name": sessionCookie},
				"feed":    object{"type": "apiKey", "in": "query", "name": "k"},
			},
			"schemas": schemas(),
		},
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		panic("portal: " + err.Error()) // maps of texts
	}
	return append(b, '\n')
}

func (r route) describe() object {
	o := r.about
	d := object{"operationId": o.ID, "summary": o.Summary}
	var parameters []any
	for part := range strings.SplitSeq(r.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok && name != "$}" {
			parameters = append(parameters, object{"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": object{"type": "string"}})
		}
	}
	for _, q := range o.Query {
		schema := object{"type": "string"}
		if q.Values != nil {
			schema["enum"] = q.Values
		}
		parameters = append(parameters, object{"name": q.Name, "in": "query", "description": q.About, "schema": schema})
	}
	if r.door == writes {
		parameters = append(parameters, object{
			"name": "Idempotency-Key", "in": "header", "schema": object{"type": "string", "maxLength": maxKey},
			"description": "The same key with the same body is carried out once and answered the same.",
		})
	}
	if parameters != nil {
		d["parameters"] = parameters
	}
	switch {
	case o.Form != nil:
		fields := object{}
		for _, f := range o.Form {
			fields[f] = object{"type": "string"}
		}
		d["requestBody"] = object{"required": true, "content": object{"application/x-www-form-urlencoded": object{"schema": object{"type": "object", "properties": fields}}}}
	case o.Body != "":
		d["requestBody"] = object{"required": true, "content": object{jsonType: object{"schema": reference(o.Body)}}}
	}
	success := object{"description": "Done."}
	if o.Type != "" {
		content := object{}
		if o.Schema != "" {
			content["schema"] = reference(o.Schema)
		}
		success["content"] = object{o.Type: content}
	}
	code := o.Code
	if code == 0 {
		code = http.StatusOK
	}
	answers := object{strconv.Itoa(code): success}
	if r.path != "/healthz" && r.path != "/openapi.json" {
		answers["404"] = object{"description": "It does not exist, or not for the caller."}
	}
	if o.Body != "" {
		for code, about := range map[int]string{
			http.StatusBadRequest: "The body cannot be read.", http.StatusConflict: "The same key is being worked on.", http.StatusRequestEntityTooLarge: "The body is too large.",
			http.StatusUnsupportedMediaType: "The body is of another type.",
			http.StatusUnprocessableEntity:  "The key was used for another body.", http.StatusServiceUnavailable: "It could not be kept; try again with the same key.",
		} {
			answers[strconv.Itoa(code)] = object{"description": about, "content": object{jsonType: object{"schema": reference("error")}}}
		}
	}
	d["responses"] = answers
	if s := r.security(); s != nil {
		d["security"] = s
	}
	return d
}

func (r route) security() []any {
	token, session, feed := object{"token": []any{}}, object{"session": []any{}}, object{"feed": []any{}}
	switch r.door {
	case open:
		return nil
	case writes:
		return []any{token}
	case feeds:
		return []any{token, session, feed}
	default:
		return []any{token, session}
	}
}

func reference(schema string) object {
	return object{"$ref": "#/components/schemas/" + strings.ReplaceAll(schema, "/", "-")}
}

// schemas describe what the answers of the API have beside their head. Further keys
// may come; the meaning of one never changes.
func schemas() object {
	word, thing := object{"type": "string"}, object{"type": "object"}
	or := func(kind string) object { return object{"type": []string{kind, "null"}} }
	at, orAt := object{"type": "string", "format": "date-time"}, object{"type": []string{"string", "null"}, "format": "date-time"}
	list := func(item object) object { return object{"type": "array", "items": item} }
	form := func(properties object, required ...string) object {
		o := object{"type": "object", "properties": properties}
		if required != nil {
			o["required"] = required
		}
		return o
	}
	answer := func(name string, payload object) object {
		payload["schema"], payload["now"] = object{"const": name}, at
		payload["inputs"] = list(form(object{"name": word, "sha256": word, "rows": or("integer")}))
		payload["warnings"] = list(form(object{"code": word, "message": word, "ref": or("string")}))
		return form(payload, "schema", "now", "inputs", "warnings")
	}
	state := object{"enum": []State{Operational, Maintained, Degraded, Out, NoData}}
	all := object{
		"status/v1": answer("status/v1", object{
			"tenant": word, "state": state, "since": orAt, "next_update_due": orAt, "generated_at": at,
			"services":  list(form(object{"service": word, "name": word, "state": state, "since": orAt, "incidents": list(word)})),
			"incidents": list(form(object{"id": word, "severity": word, "service": or("string"), "title": word, "opened": at, "stage": or("string"), "last_update": orAt, "next_update_due": orAt})),
		}),
		"slo-status/v1":         answer("slo-status/v1", object{"at": at, "slos": list(thing)}),
		"portal-incidents/v1":   answer("portal-incidents/v1", object{"incidents": list(thing)}),
		"portal-maintenance/v1": answer("portal-maintenance/v1", object{"maintenance": list(thing)}),
		"portal-credits/v1":     answer("portal-credits/v1", object{"months": list(thing), "revisions": list(thing)}),
		"sla-report/v1":         answer("sla-report/v1", object{"contract": thing, "period": thing}),
		"new-incident":          form(object{"title": word, "service": word, "severity": object{"enum": severities}, "text": word}, "title", "severity"),
		"new-update":            form(object{"text": word, "state": object{"enum": updateStates}, "next_update": at}, "text"),
		"error":                 form(object{"error": word}, "error"),
	}
	named := object{}
	for name, s := range all {
		named[strings.ReplaceAll(name, "/", "-")] = s
	}
	return named
}

// describe serves the description of the API.
func (p *snapshot) describe(w http.ResponseWriter, r *http.Request) {
	shared(w, r, asset{jsonType, p.openAPI, etag(p.openAPI)})
}
