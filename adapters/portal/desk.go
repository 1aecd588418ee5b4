package portal

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Desk takes what is written by the API. Its methods must be safe for concurrent use.
//
// Key is the Idempotency-Key of the caller, "" for none; keys of different customers
// have nothing to do with each other. The portal remembers some time what it answered
// to a key; a desk that survives a restart should know its keys too.
type Desk interface {
	// Open opens an incident and returns its id.
	Open(ctx context.Context, tenant, key string, in NewIncident) (id string, err error)

	// Update adds an update to an incident. One that the customer does not have is
	// ErrNoIncident.
	Update(ctx context.Context, tenant, key, incident string, u NewUpdate) error
}

// ErrNoIncident means an incident that the customer does not have.
var ErrNoIncident = errors.New("portal: no such incident")

// NewIncident is what is known when an incident is opened.
type NewIncident struct {
	Title    string
	Service  string // id; "" for none
	Severity incident.Severity
	Text     string
	At       time.Time
}

// NewUpdate is a message to the customer about an incident.
type NewUpdate struct {
	Text       string
	State      string    // "investigating", "identified", "monitoring", "resolved"; "" for no change
	NextUpdate time.Time // zero for none announced
	At         time.Time
}

var (
	severities   = []string{"p1", "p2", "p3", "p4"}
	updateStates = []string{"investigating", "identified", "monitoring", "resolved"}
)

const (
	maxBody  = 64 << 10 // of a write
	maxTitle = 300      // bytes
	maxText  = 32 << 10
	maxKey   = 255
)

func (v *visit) openIncident() {
	v.write(func(body []byte, key string) (any, error) {
		var in struct{ Title, Service, Severity, Text string }
		if err := decode(body, &in); err != nil {
			return nil, err
		}
		severity, err := incident.ParseSeverity(in.Severity)
		services := []string{""}
		for _, s := range v.page.Services {
			services = append(services, s.ID)
		}
		switch {
		case err != nil:
			return nil, bodyError("severity: want one of " + strings.Join(severities, ", "))
		case strings.TrimSpace(in.Title) == "" || len(in.Title) > maxTitle:
			return nil, bodyError("title: want a text of at most 300 bytes")
		case len(in.Text) > maxText:
			return nil, bodyError("text: want at most 32 KiB")
		case !slices.Contains(services, in.Service):
			return nil, bodyError("service: want the id of a service of the contract")
		}
		id, err := v.desk.Open(v.r.Context(), v.tenant.ID, key, NewIncident{Title: in.Title, Service: in.Service, Severity: severity, Text: in.Text, At: v.now})
		return object{"id": id}, err
	})
}

func (v *visit) addUpdate() {
	v.write(func(body []byte, key string) (any, error) {
		var in struct {
			Text, State string
			NextUpdate  time.Time `json:"next_update"`
		}
		if err := decode(body, &in); err != nil {
			return nil, err
		}
		switch {
		case strings.TrimSpace(in.Text) == "" || len(in.Text) > maxText:
			return nil, bodyError("text: want a text of at most 32 KiB")
		case !in.NextUpdate.IsZero() && !in.NextUpdate.After(v.now):
			return nil, bodyError("next_update: want an instant to come")
		case in.State == "resolved" && !in.NextUpdate.IsZero():
			return nil, bodyError("next_update: want none of an incident that is resolved")
		case in.State != "" && !slices.Contains(updateStates, in.State):
			return nil, bodyError("state: want one of " + strings.Join(updateStates, ", "))
		}
		id := v.r.PathValue("incident")
		return object{"id": id}, v.desk.Update(v.r.Context(), v.tenant.ID, key, id, NewUpdate{Text: in.Text, State: in.State, NextUpdate: in.NextUpdate, At: v.now})
	})
}

// bodyError is what is wrong with a body, in words for its sender.
type bodyError string

// Error returns the words.
func (e bodyError) Error() string { return string(e) }

// decode reads one JSON object, strictly.
func decode(body []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return bodyError("want a JSON object of the keys of the description: " + err.Error())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return bodyError("want one JSON object and nothing after it")
	}
	return nil
}

// write carries out a write once for its key, and answers in JSON.
func (v *visit) write(do func(body []byte, key string) (any, error)) {
	code, answer := v.written(do)
	body, err := encode(answer)
	if err != nil {
		v.failed(err)
		code, body = http.StatusInternalServerError, []byte("{}\n")
	}
	v.w.Header().Set("Content-Type", jsonType)
	send(v.w, v.r, code, body)
}

func (v *visit) written(do func(body []byte, key string) (any, error)) (int, any) {
	problem := func(code int, text string) (int, any) { return code, object{"error": text} }
	if kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type")); err != nil || kind != jsonType {
		return problem(http.StatusUnsupportedMediaType, "want application/json")
	}
	key := v.r.Header.Get("Idempotency-Key")
	if len(key) > maxKey {
		return problem(http.StatusBadRequest, "Idempotency-Key: want at most 255 bytes")
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.w, v.r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return problem(http.StatusRequestEntityTooLarge, "want at most 64 KiB")
	case err != nil:
		return problem(http.StatusBadRequest, "the body ends early")
	}
	r, state := v.replays.begin(v.tenant.ID, key, v.r.URL.Path, body, v.now)
	switch state {
	case replayed:
		v.w.Header().Set("Idempotency-Replayed", "true")
		return r.code, r.answer
	case running:
		return problem(http.StatusConflict, "the same key is being worked on")
	case different:
		return problem(http.StatusUnprocessableEntity, "the key was used for something else")
	default:
	}
	kept := false
	defer func() {
		if !kept { // also after a panic of the desk
			v.replays.drop(r)
		}
	}()
	answer, err := do(body, key)
	var bad bodyError
	switch {
	case err == nil:
		kept = true
		v.replays.end(r, http.StatusCreated, answer)
		return http.StatusCreated, answer
	case errors.As(err, &bad):
		return problem(http.StatusBadRequest, bad.Error())
	case errors.Is(err, ErrNoIncident):
		return problem(http.StatusNotFound, "no such incident")
	}
	v.failed(err)
	return problem(http.StatusServiceUnavailable, "it could not be kept; try again with the same key")
}
