package adaptertest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
)

// importSet takes a row of a staging table, whose transform map coalesces on
// correlation_id: a row that has one is updated, else inserted.
func (s *ServiceNow) importSet(w http.ResponseWriter, r *http.Request, user, staging string) {
	target, known := s.options.Staging[staging]
	if !known {
		snowFail(w, http.StatusBadRequest, "Invalid staging table "+staging, "")
		return
	}
	var columns snowRecord
	if err := json.NewDecoder(r.Body).Decode(&columns); err != nil {
		snowFail(w, http.StatusBadRequest, "Exception while reading request", "The payload is not valid JSON")
		return
	}
	var row snowRecord
	for _, other := range s.tables[target].rows {
		if other["correlation_id"] != "" && other["correlation_id"] == columns["correlation_id"] {
			row = other
		}
	}
	status := "updated"
	if row == nil {
		row, status = s.insert(target, columns, user), "inserted"
	} else {
		s.update(target, row, columns, user)
	}
	snowWrite(w, http.StatusCreated, map[string]any{
		"import_set": "ISET0010001", "staging_table": staging,
		"result": []any{map[string]string{
			"transform_map": "evenkeel", "table": target, "display_name": "number", "display_value": row["number"],
			"status": status, "sys_id": row["sys_id"],
		}},
	})
}

// batch carries out requests until its quota is used up; the others come back in
// unserviced_requests and are not done.
func (s *ServiceNow) batch(w http.ResponseWriter, r *http.Request, user string) {
	var batch struct {
		ID       string `json:"batch_request_id"`
		Requests []struct {
			ID      string `json:"id"`
			URL     string `json:"url"`
			Method  string `json:"method"`
			Headers []struct {
				Name  string `json:"name"`
				Value string `json:"value"`
			} `json:"headers"`
			Body []byte `json:"body"`
		} `json:"rest_requests"`
	}
	if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
		snowFail(w, http.StatusBadRequest, "Exception while reading request", err.Error())
		return
	}
	serviced, unserviced := []any{}, []string{}
	for i, one := range batch.Requests {
		if s.options.BatchQuota > 0 && i >= s.options.BatchQuota {
			unserviced = append(unserviced, one.ID)
			continue
		}
		request := httptest.NewRequestWithContext(r.Context(), one.Method, one.URL, bytes.NewReader(one.Body))
		for _, h := range one.Headers {
			request.Header.Set(h.Name, h.Value)
		}
		answer := httptest.NewRecorder()
		s.route(answer, request, user)
		serviced = append(serviced, map[string]any{
			"id": one.ID, "body": answer.Body.Bytes(), "status_code": answer.Code, "status_text": http.StatusText(answer.Code), "execution_time": 7,
		})
	}
	snowWrite(w, http.StatusOK, map[string]any{
		"batch_request_id": batch.ID, "serviced_requests": serviced, "unserviced_requests": unserviced,
	})
}

// attach keeps a file, once more for each time it is posted.
func (s *ServiceNow) attach(w http.ResponseWriter, r *http.Request, user string) {
	values := r.URL.Query()
	table, id := values.Get("table_name"), values.Get("table_sys_id")
	if t := s.tables[table]; t == nil || t.rows[id] == nil {
		snowFail(w, http.StatusNotFound, "No Record found", "")
		return
	}
	content, err := io.ReadAll(r.Body)
	if err != nil || values.Get("file_name") == "" {
		snowFail(w, http.StatusBadRequest, "Missing parameter file_name", "")
		return
	}
	row := s.insert("sys_attachment", snowRecord{
		"table_name": table, "table_sys_id": id, "file_name": values.Get("file_name"), "content_type": r.Header.Get("Content-Type"),
		"size_bytes": strconv.Itoa(len(content)),
	}, user)
	s.files[row["sys_id"]] = content
	snowAnswer(w, http.StatusCreated, row)
}

// onCall lists the members of the rotas of a group, which are records of a table
// on_call of the fake's own: group, rota, user, order.
func (s *ServiceNow) onCall(w http.ResponseWriter, r *http.Request) {
	result := []any{}
	if s.tables["on_call"] != nil {
		for _, row := range s.ordered("on_call", nil) {
			if row["group"] == r.URL.Query().Get("group_ids") {
				result = append(result, map[string]any{"userId": row["user"], "group": row["group"], "rota": row["rota"], "order": row["order"]})
			}
		}
	}
	snowAnswer(w, http.StatusOK, result)
}

// takeEvents takes events; those of one message_key replace each other.
func (s *ServiceNow) takeEvents(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Records []map[string]string `json:"records"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Records) == 0 {
		snowFail(w, http.StatusBadRequest, "Invalid payload", "")
		return
	}
	for _, event := range body.Records {
		s.events = slices.DeleteFunc(s.events, func(e map[string]string) bool { return e["message_key"] == event["message_key"] })
		s.events = append(s.events, event)
	}
	snowAnswer(w, http.StatusOK, map[string]string{"Default Bulk Endpoint": strconv.Itoa(len(body.Records)) + " events were inserted"})
}
