package adaptertest

import (
	"cmp"
	"crypto/md5" //nolint:gosec // ids that look like those of the vendor
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ServiceNow is a fake instance with its state. It knows the Table API in versions
// 1 and 2, import sets, batches, attachments, journals, OAuth, On-Call Scheduling
// and the endpoint for events, and is wrong as instances are:
//
//   - A part of a query that is not understood, and a column that is not there, is
//     ignored, and the rest runs.
//   - A value that begins with javascript: is run; see [ServiceNow.Scripts].
//   - Texts are compared without regard to case.
//   - Limits are applied before rights, so pages may be short or empty with a Link to
//     the next one.
//   - Version 1 of the Table API answers an empty list with 404.
//   - Writes without Accept or Content-Type are refused with 400.
//   - priority is derived from impact and urgency, whatever is written to it.
//   - Journals append at every write, and read as empty.
//   - Texts longer than their column are cut without a word, and columns that are not
//     there are ignored.
//   - Requests are counted late, so that the limit bites late.
//   - Nothing keeps two records from having one correlation_id, except an import set
//     that coalesces on it.
//
// It is safe for concurrent use.
type ServiceNow struct {
	options ServiceNowOptions

	mu       sync.Mutex // guards all below
	tables   map[string]*snowTable
	columns  map[string]map[string]bool
	numbers  map[string]int
	serial   int
	scripts  []string
	events   []map[string]string
	files    map[string][]byte
	tokens   map[string]snowToken
	counted  map[string]*snowCount
	requests []string
	logins   int
}

// ServiceNowOptions are how an instance is set up. The zero value admits everybody,
// hides nothing and has no limits.
type ServiceNowOptions struct {
	// Now returns the time. Defaults to time.Now.
	Now func() time.Time
	// Users are passwords by user_name. Defaults to none: then everybody is admitted
	// as "evenkeel".
	Users map[string]string
	// APIKeys are user names by x-sn-apikey.
	APIKeys map[string]string
	// Clients are secrets of OAuth by client id.
	Clients map[string]string
	// ClientCredentials allows that grant, which is off as delivered (property
	// glide.oauth.inbound.client.credential.grant_type.enabled).
	ClientCredentials bool
	// TokenLife is how long an access token is good for. Defaults to 1,799 s.
	TokenLife time.Duration
	// Hidden says which records the user may not see.
	Hidden func(table string, record map[string]string) bool
	// PerHour is the limit that applies to all users, and Rule its name. Defaults to none.
	PerHour int
	Rule    string
	// BatchQuota is how many requests of a batch are serviced. Defaults to all.
	BatchQuota int
	// Staging are the targets of staging tables whose transform maps coalesce on
	// correlation_id.
	Staging map[string]string
	// NoRowsOnInvalidQuery is the property glide.invalid_query.returns_no_rows.
	NoRowsOnInvalidQuery bool
	// CloseNotesRequired has a data policy refuse to resolve without close_code and
	// close_notes.
	CloseNotesRequired bool
}

type snowRecord = map[string]string

type snowTable struct {
	rows   map[string]snowRecord
	sorted map[string][]snowRecord // by the columns they are sorted by, until one of them may have changed
}

// snowColumns are the columns of tables; all have those of "".
var snowColumns = map[string]string{
	"":                    "sys_id sys_created_on sys_created_by sys_updated_on sys_updated_by sys_mod_count",
	"task":                "number short_description description impact urgency priority state assignment_group assigned_to correlation_id correlation_display work_notes comments parent close_notes follow_up cmdb_ci opened_at",
	"incident":            "task close_code hold_reason resolved_at parent_incident problem_id rfc caused_by caller_id category u_labels",
	"problem":             "task cause_notes fix_notes",
	"change_request":      "task type start_date end_date work_start work_end",
	"sys_user":            "user_name name email",
	"sys_user_group":      "name",
	"sys_journal_field":   "element element_id name value",
	"sys_attachment":      "table_name table_sys_id file_name content_type size_bytes",
	"task_sla":            "task sla stage has_breached start_time end_time planned_end_time duration time_left business_duration business_time_left",
	"contract_sla":        "name duration",
	"cmdb_ci":             "name",
	"cmdb_rel_ci":         "parent child type",
	"cmdb_rel_type":       "name",
	"metric_instance":     "id definition value duration start end",
	"sys_db_object":       "name super_class",
	"sys_dictionary":      "name element max_length",
	"sys_choice":          "name element value inactive",
	"sys_transform_map":   "source_table target_table",
	"sys_transform_entry": "map target_field coalesce",
	"cmn_rota":            "name group",
	"sys_script":          "name collection when action_insert action_update action_delete active advanced order script",
}

// snowReferences are the tables that reference columns point at.
var snowReferences = map[string]string{
	"assignment_group": "sys_user_group", "assigned_to": "sys_user", "caller_id": "sys_user", "parent_incident": "incident",
	"problem_id": "problem", "rfc": "change_request", "caused_by": "change_request", "cmdb_ci": "cmdb_ci", "task": "incident",
	"sla": "contract_sla", "parent": "cmdb_ci", "child": "cmdb_ci", "type": "cmdb_rel_type", "map": "sys_transform_map",
	"super_class": "sys_db_object",
}

// snowLengths are the lengths of columns of table task.
var snowLengths = map[string]int{"short_description": 160, "description": 4000, "close_notes": 4000, "correlation_id": 100, "correlation_display": 100}

// snowPriorities is the documented sample of the priority lookup, by impact and
// urgency.
var snowPriorities = map[string]string{
	"11": "1", "12": "2", "21": "2", "13": "3", "22": "3", "31": "3", "23": "4", "32": "4", "33": "5",
}

var snowPrefixes = map[string]string{"incident": "INC", "problem": "PRB", "change_request": "CHG"}

const snowTime = "2006-01-02 15:04:05"

// NewServiceNow returns an instance with the tables and choices of a baseline one
// and no records but those that describe them.
func NewServiceNow(o ServiceNowOptions) *ServiceNow {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.TokenLife == 0 {
		o.TokenLife = 1799 * time.Second
	}
	s := &ServiceNow{
		options: o, tables: map[string]*snowTable{}, columns: map[string]map[string]bool{}, numbers: map[string]int{},
		files: map[string][]byte{}, tokens: map[string]snowToken{}, counted: map[string]*snowCount{},
	}
	for table := range snowColumns {
		if table != "" {
			s.define(table, snowColumnsOf(table)...)
		}
	}
	s.describe()
	return s
}

func snowColumnsOf(table string) []string {
	var out []string
	for column := range strings.FieldsSeq(snowColumns[""] + " " + snowColumns[table]) {
		if _, extends := snowColumns[column]; extends && column == "task" && table == "incident" || column == "task" && (table == "problem" || table == "change_request") {
			out = append(out, strings.Fields(snowColumns["task"])...)
			continue
		}
		out = append(out, column)
	}
	return out
}

// describe fills the tables that describe table incident.
func (s *ServiceNow) describe() {
	task := s.insert("sys_db_object", snowRecord{"name": "task"}, "system")
	s.insert("sys_db_object", snowRecord{"name": "incident", "super_class": task["sys_id"]}, "system")
	for _, column := range snowColumnsOf("incident") {
		owner := "incident"
		if strings.Contains(" "+snowColumns["task"]+" "+snowColumns[""]+" ", " "+column+" ") {
			owner = "task"
		}
		s.insert("sys_dictionary", snowRecord{"name": owner, "element": column, "max_length": strconv.Itoa(cmp.Or(snowLengths[column], 40))}, "system")
	}
	for column, values := range map[string]string{
		"state": "1,2,3,6,7,8", "hold_reason": "1,3,4,5", "impact": "1,2,3", "urgency": "1,2,3",
		"close_code": "Duplicate,Known error,No resolution provided,Resolved by caller,Solution provided,Workaround provided,User error",
	} {
		owner := "incident"
		if column == "impact" || column == "urgency" {
			owner = "task"
		}
		for value := range strings.SplitSeq(values, ",") {
			s.insert("sys_choice", snowRecord{"name": owner, "element": column, "value": value, "inactive": "false"}, "system")
		}
	}
	for staging, target := range s.options.Staging {
		m := s.insert("sys_transform_map", snowRecord{"source_table": staging, "target_table": target}, "system")
		s.insert("sys_transform_entry", snowRecord{"map": m["sys_id"], "target_field": "correlation_id", "coalesce": "true"}, "system")
	}
}

// Define adds columns to a table, which need not be there.
func (s *ServiceNow) Define(table string, columns ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.define(table, append(strings.Fields(snowColumns[""]), columns...)...)
}

func (s *ServiceNow) define(table string, columns ...string) {
	if s.tables[table] == nil {
		s.tables[table] = &snowTable{rows: map[string]snowRecord{}}
		s.columns[table] = map[string]bool{}
	}
	for _, column := range columns {
		s.columns[table][column] = true
	}
}

// Insert makes a record as an administrator would, with the columns as they are
// given: created and updated at other times than now, too. It returns the sys_id.
func (s *ServiceNow) Insert(table string, record map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.insert(table, record, "admin")["sys_id"]
}

// Set changes columns of a record as another user would.
func (s *ServiceNow) Set(table, id string, columns map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.update(table, s.tables[table].rows[id], columns, "somebody")
}

// Records returns copies of the records of a table that a query finds, all of them
// for "", by number and sys_id.
func (s *ServiceNow) Records(table, query string) []map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[table]
	if t == nil {
		return nil
	}
	q := s.parse(table, query)
	var out []map[string]string
	for _, row := range t.rows {
		if s.matches(table, row, q) {
			out = append(out, maps.Clone(row))
		}
	}
	slices.SortFunc(out, func(a, b snowRecord) int {
		return cmp.Or(cmp.Compare(a["number"], b["number"]), cmp.Compare(a["sys_id"], b["sys_id"]))
	})
	return out
}

// Scripts are the values of queries that were run as JavaScript.
func (s *ServiceNow) Scripts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.scripts)
}

// Events are the records that were posted to Event Management.
func (s *ServiceNow) Events() []map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// File is the content of an attachment.
func (s *ServiceNow) File(id string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.files[id])
}

// Requests are the methods and paths of all requests, in order.
func (s *ServiceNow) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Logins counts the access tokens that were given out.
func (s *ServiceNow) Logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

// ServeHTTP answers as an instance.
func (s *ServiceNow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	w.Header().Set("X-Transaction-ID", fmt.Sprintf("%012x", len(s.requests)))
	if r.URL.Path == "/oauth_token.do" {
		s.token(w, r)
		return
	}
	user, ok := s.user(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `BASIC realm="Service-now"`)
		snowFail(w, http.StatusUnauthorized, "User Not Authenticated", "Required to provide Auth information")
		return
	}
	if !s.admit(w, user) {
		return
	}
	s.route(w, r, user)
}

// route answers a request of a user whom the instance has admitted.
func (s *ServiceNow) route(w http.ResponseWriter, r *http.Request, user string) {
	path := strings.TrimPrefix(r.URL.Path, "/api/")
	parts := strings.Split(path, "/")
	writes := r.Method != http.MethodGet
	// "Accept" and "Content-Type" are required for POST, PUT, PATCH and DELETE.
	if writes && (r.Header.Get("Accept") == "" || r.Header.Get("Content-Type") == "") {
		snowFail(w, http.StatusBadRequest, "Invalid content type header", "Accept and Content-Type are required")
		return
	}
	version := "1"
	if len(parts) > 1 && parts[0] == "now" && (parts[1] == "v1" || parts[1] == "v2") {
		version = parts[1][1:]
		parts = slices.Delete(parts, 1, 2)
	}
	switch {
	case len(parts) >= 3 && parts[0] == "now" && parts[1] == "table":
		s.table(w, r, user, version, parts[2], strings.Join(parts[3:], "/"))
	case len(parts) == 3 && parts[0] == "now" && parts[1] == "import" && r.Method == http.MethodPost:
		s.importSet(w, r, user, parts[2])
	case strings.Join(parts, "/") == "now/batch" && r.Method == http.MethodPost:
		s.batch(w, r, user)
	case strings.Join(parts, "/") == "now/attachment/file" && r.Method == http.MethodPost:
		s.attach(w, r, user)
	case strings.Join(parts, "/") == "now/on_call_rota/whoisoncall" && !writes:
		s.onCall(w, r)
	case path == "global/em/jsonv2" && r.Method == http.MethodPost:
		s.takeEvents(w, r)
	default:
		snowFail(w, http.StatusBadRequest, "Requested URI does not represent any resource", r.URL.Path)
	}
}

func (s *ServiceNow) table(w http.ResponseWriter, r *http.Request, user, version, table, id string) {
	t := s.tables[table]
	if t == nil {
		snowFail(w, http.StatusBadRequest, "Invalid table "+table, "")
		return
	}
	if id == "" && r.Method == http.MethodGet {
		s.list(w, r, version, table)
		return
	}
	var columns snowRecord
	if r.Method != http.MethodGet && r.Method != http.MethodDelete {
		if err := json.NewDecoder(r.Body).Decode(&columns); err != nil {
			snowFail(w, http.StatusBadRequest, "Exception while reading request", "The payload is not valid JSON")
			return
		}
	}
	if id == "" {
		if r.Method != http.MethodPost {
			snowFail(w, http.StatusMethodNotAllowed, "Method not supported", "")
			return
		}
		row := s.insert(table, columns, user)
		w.Header().Set("Location", "/api/now/v2/table/"+table+"/"+row["sys_id"])
		snowAnswer(w, http.StatusCreated, s.view(r.URL.Query(), table, row))
		return
	}
	row := t.rows[id]
	if row == nil || s.hidden(table, row) {
		snowFail(w, http.StatusNotFound, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
		return
	}
	switch r.Method {
	case http.MethodGet:
	case http.MethodPatch, http.MethodPut:
		if s.options.CloseNotesRequired && columns["state"] == "6" && (columns["close_code"] == "" || columns["close_notes"] == "") {
			snowFail(w, http.StatusForbidden, "Operation Failed", "Data Policy Exception: The following fields are mandatory: Resolution code, Resolution notes")
			return
		}
		s.update(table, row, columns, user)
	case http.MethodDelete:
		delete(t.rows, id)
		t.sorted = nil
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		snowFail(w, http.StatusMethodNotAllowed, "Method not supported", "")
		return
	}
	snowAnswer(w, http.StatusOK, s.view(r.URL.Query(), table, row))
}

// list answers a query. "The limit is applied before ACLs are evaluated": rows that
// the user may not see count, so pages may be short or empty and yet have a next one.
func (s *ServiceNow) list(w http.ResponseWriter, r *http.Request, version, table string) {
	values := r.URL.Query()
	limit, offset := 10_000, 0
	if n, err := strconv.Atoi(values.Get("sysparm_limit")); err == nil {
		limit = n
	}
	if n, err := strconv.Atoi(values.Get("sysparm_offset")); err == nil {
		offset = n
	}
	count := values.Get("sysparm_no_count") != "true"
	q := s.parse(table, values.Get("sysparm_query"))
	total := 0
	result := []any{}
	if !q.invalid || !s.options.NoRowsOnInvalidQuery {
		for _, row := range s.window(s.ordered(table, q.order), q) {
			if !s.matches(table, row, q) {
				continue
			}
			if total >= offset && total < offset+limit && !s.hidden(table, row) {
				result = append(result, s.view(values, table, row))
			}
			if total++; !count && total > offset+limit {
				break
			}
		}
	}
	if count {
		w.Header().Set("X-Total-Count", strconv.Itoa(total))
	}
	if offset+limit < total {
		next := *r.URL
		values.Set("sysparm_offset", strconv.Itoa(offset+limit))
		next.RawQuery = values.Encode()
		w.Header().Add("Link", "<http://"+r.Host+next.RequestURI()+`>;rel="next"`)
	}
	if len(result) == 0 && version == "1" {
		// Version 1 "returns a 404 when there are no records", later ones an empty list.
		snowFail(w, http.StatusNotFound, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
		return
	}
	snowAnswer(w, http.StatusOK, result)
}

// view is a record as it is answered: the columns that were asked for, if they are
// there, references as objects unless that was declined, journals empty.
func (s *ServiceNow) view(values url.Values, table string, row snowRecord) map[string]any {
	columns := strings.Split(values.Get("sysparm_fields"), ",")
	if values.Get("sysparm_fields") == "" {
		columns = slices.Sorted(maps.Keys(s.columns[table]))
	}
	out := map[string]any{}
	for _, column := range columns {
		value, known := s.value(table, row, column)
		if !known {
			continue
		}
		if target := snowReferences[column]; target != "" && value != "" && values.Get("sysparm_exclude_reference_link") != "true" {
			out[column] = map[string]string{"link": "https://instance.example/api/now/table/" + target + "/" + value, "value": value}
			continue
		}
		out[column] = value
	}
	return out
}

// value reads a column, over references; known is false if there is no such column.
func (s *ServiceNow) value(table string, row snowRecord, column string) (value string, known bool) {
	first, rest, dotted := strings.Cut(column, ".")
	if !s.columns[table][first] {
		return "", false
	}
	if !dotted {
		if first == "work_notes" || first == "comments" {
			return "", true
		}
		return row[first], true
	}
	target := snowReferences[first]
	if target == "" {
		return "", false
	}
	if other := s.tables[target].rows[row[first]]; other != nil {
		return s.value(target, other, rest)
	}
	_, known = s.value(target, snowRecord{}, rest)
	return "", known
}

func (s *ServiceNow) hidden(table string, row snowRecord) bool {
	return s.options.Hidden != nil && s.options.Hidden(table, row)
}

func (s *ServiceNow) insert(table string, columns snowRecord, user string) snowRecord {
	now := s.options.Now().UTC().Format(snowTime)
	s.serial++
	sum := md5.Sum([]byte(strconv.Itoa(s.serial))) //nolint:gosec // an id
	row := snowRecord{
		"sys_id": hex.EncodeToString(sum[:]), "sys_created_on": now, "sys_updated_on": now, "sys_created_by": user, "sys_updated_by": user,
		"sys_mod_count": "0",
	}
	if prefix := snowPrefixes[table]; prefix != "" {
		s.numbers[table]++
		row["number"] = fmt.Sprintf("%s%07d", prefix, 10_000+s.numbers[table])
		row["state"] = "1"
	}
	if table == "incident" {
		row["impact"], row["urgency"] = "3", "3"
	}
	s.tables[table].rows[row["sys_id"]] = row
	s.tables[table].sorted = nil
	s.write(table, row, columns, user)
	if user == "admin" || user == "system" {
		for column, value := range columns {
			if s.columns[table][column] && column != "work_notes" && column != "comments" {
				if column == "sys_id" {
					delete(s.tables[table].rows, row["sys_id"])
					s.tables[table].rows[value] = row
				}
				row[column] = value
			}
		}
	}
	return row
}

func (s *ServiceNow) update(table string, row, columns snowRecord, user string) {
	n, _ := strconv.Atoi(row["sys_mod_count"])
	row["sys_mod_count"] = strconv.Itoa(n + 1)
	row["sys_updated_on"], row["sys_updated_by"] = s.options.Now().UTC().Format(snowTime), user
	s.write(table, row, columns, user)
}

// write sets columns as users may: those of the system and unknown ones are left
// alone, texts cut, journals appended, priority derived.
func (s *ServiceNow) write(table string, row, columns snowRecord, user string) {
	maps.DeleteFunc(s.tables[table].sorted, func(by string, _ []snowRecord) bool {
		return strings.Trim(strings.NewReplacer("sys_created_on", "", "sys_id", "", "number", "").Replace(by), ",") != ""
	})
	before := row["state"]
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		value := columns[column]
		switch {
		case !s.columns[table][column] || strings.HasPrefix(column, "sys_") || column == "number" || column == "priority" && table == "incident":
			continue
		case column == "work_notes" || column == "comments":
			if value != "" {
				s.insert("sys_journal_field", snowRecord{"element": column, "element_id": row["sys_id"], "name": table, "value": value}, user)
			}
			continue
		}
		if runes := []rune(value); snowLengths[column] > 0 && len(runes) > snowLengths[column] {
			value = string(runes[:snowLengths[column]])
		}
		row[column] = value
	}
	if table != "incident" {
		return
	}
	row["priority"] = snowPriorities[row["impact"]+row["urgency"]]
	if row["state"] == "6" && before != "6" {
		row["resolved_at"] = row["sys_updated_on"]
	}
}

func snowAnswer(w http.ResponseWriter, status int, result any) {
	snowWrite(w, status, map[string]any{"result": result})
}

func snowFail(w http.ResponseWriter, status int, message, detail string) {
	snowWrite(w, status, map[string]any{"error": map[string]string{"message": message, "detail": detail}, "status": "failure"})
}

func snowWrite(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
