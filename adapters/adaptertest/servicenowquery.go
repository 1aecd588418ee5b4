package adaptertest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// snowOperators are those of the vendor's "Operators available for filters and
// queries" that the fake knows; the longest that fits is the one that is read.
var snowOperators = []string{
	"INSTANCEOF", "STARTSWITH", "ISNOTEMPTY", "ENDSWITH", "ISEMPTY", "LIKE", "IN", "!=", ">=", "<=", "=", ">", "<",
}

type snowCondition struct{ column, operator, value string }

// snowQuery is a union of alternatives, of clauses, of conditions.
type snowQuery struct {
	alternatives [][][]snowCondition
	order        []string // columns; with "-" before for descending
	invalid      bool     // whether a part was ignored
}

// parse reads a sysparm_query. What it does not understand it leaves out: "an
// invalid part of the query is ignored and the rest runs".
func (s *ServiceNow) parse(table, text string) snowQuery {
	q := snowQuery{alternatives: [][][]snowCondition{nil}}
	for _, term := range snowTerms(text) {
		last := len(q.alternatives) - 1
		or := false
		switch {
		case term == "":
			continue
		case strings.HasPrefix(term, "ORDERBYDESC"):
			q.sort(s, table, strings.TrimPrefix(term, "ORDERBYDESC"), "-")
			continue
		case strings.HasPrefix(term, "ORDERBY"):
			q.sort(s, table, strings.TrimPrefix(term, "ORDERBY"), "")
			continue
		case strings.HasPrefix(term, "NQ"):
			q.alternatives = append(q.alternatives, nil)
			last++
			term = strings.TrimPrefix(term, "NQ")
		case strings.HasPrefix(term, "OR"):
			or = true
			term = strings.TrimPrefix(term, "OR")
		}
		c, ok := s.condition(table, term)
		if !ok {
			q.invalid = true
			continue
		}
		clauses := q.alternatives[last]
		if or && len(clauses) > 0 {
			clauses[len(clauses)-1] = append(clauses[len(clauses)-1], c)
		} else {
			q.alternatives[last] = append(clauses, []snowCondition{c})
		}
	}
	return q
}

func (q *snowQuery) sort(s *ServiceNow, table, column, sign string) {
	if _, known := s.value(table, snowRecord{}, column); !known {
		q.invalid = true
		return
	}
	q.order = append(q.order, sign+column)
}

// snowTerms splits at carets; two of them are one in a value.
func snowTerms(text string) []string {
	var out []string
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] != '^':
			b.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == '^':
			b.WriteByte('^')
			i++
		default:
			out = append(out, b.String())
			b.Reset()
		}
	}
	return append(out, b.String())
}

func (s *ServiceNow) condition(table, term string) (snowCondition, bool) {
	column := term[:len(term)-len(strings.TrimLeft(term, "abcdefghijklmnopqrstuvwxyz0123456789_."))]
	if _, known := s.value(table, snowRecord{}, column); !known {
		return snowCondition{}, false
	}
	rest := term[len(column):]
	i := slices.IndexFunc(snowOperators, func(op string) bool { return strings.HasPrefix(rest, op) })
	if i < 0 {
		return snowCondition{}, false
	}
	value := strings.TrimPrefix(rest, snowOperators[i])
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(value)), "javascript:") {
		s.scripts = append(s.scripts, value)
		return snowCondition{}, false
	}
	return snowCondition{column, snowOperators[i], value}, true
}

func (s *ServiceNow) matches(table string, row snowRecord, q snowQuery) bool {
	for _, clauses := range q.alternatives {
		all := true
		for _, clause := range clauses {
			any := false
			for _, c := range clause {
				if any = s.holds(table, row, c); any {
					break
				}
			}
			if all = any; !all {
				break
			}
		}
		if all {
			return true
		}
	}
	return false
}

func (s *ServiceNow) holds(table string, row snowRecord, c snowCondition) bool {
	got, _ := s.value(table, row, c.column)
	switch c.operator {
	case "=":
		return strings.EqualFold(got, c.value)
	case "!=":
		return !strings.EqualFold(got, c.value)
	case ">":
		return snowCompare(got, c.value) > 0
	case ">=":
		return snowCompare(got, c.value) >= 0
	case "<":
		return got != "" && snowCompare(got, c.value) < 0
	case "<=":
		return got != "" && snowCompare(got, c.value) <= 0
	case "LIKE":
		return strings.Contains(strings.ToLower(got), strings.ToLower(c.value))
	case "STARTSWITH":
		return strings.HasPrefix(strings.ToLower(got), strings.ToLower(c.value))
	case "ENDSWITH":
		return strings.HasSuffix(strings.ToLower(got), strings.ToLower(c.value))
	case "IN":
		return slices.ContainsFunc(strings.Split(c.value, ","), func(v string) bool { return strings.EqualFold(got, v) })
	case "ISEMPTY":
		return got == ""
	case "ISNOTEMPTY":
		return got != ""
	default:
		return false
	}
}

func snowCompare(a, b string) int {
	if len(a) < 10 && len(b) < 10 {
		m, err := strconv.Atoi(a)
		n, err2 := strconv.Atoi(b)
		if err == nil && err2 == nil {
			return cmp.Compare(m, n)
		}
	}
	return cmp.Compare(a, b)
}

// ordered returns the records of a table as they are sorted, by sys_id without an
// order, and remembers that.
func (s *ServiceNow) ordered(table string, order []string) []snowRecord {
	t := s.tables[table]
	name := strings.Join(order, ",")
	if rows := t.sorted[name]; rows != nil {
		return rows
	}
	type keyed struct {
		keys []string
		row  snowRecord
	}
	keys := make([]keyed, 0, len(t.rows))
	for _, row := range t.rows {
		k := keyed{row: row}
		for _, column := range order {
			value, _ := s.value(table, row, strings.TrimPrefix(column, "-"))
			k.keys = append(k.keys, value)
		}
		k.keys = append(k.keys, row["sys_id"])
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b keyed) int {
		for i, x := range a.keys {
			if n := cmp.Compare(x, b.keys[i]); n != 0 && i < len(order) && strings.HasPrefix(order[i], "-") {
				return -n
			} else if n != 0 {
				return n
			}
		}
		return 0
	})
	rows := make([]snowRecord, len(keys))
	for i, k := range keys {
		rows[i] = k.row
	}
	if t.sorted == nil {
		t.sorted = map[string][]snowRecord{}
	}
	t.sorted[name] = rows
	return rows
}

// window leaves out the rows before the first that can match, if a query has lower
// limits of the column that it is sorted by: what an index does.
func (s *ServiceNow) window(rows []snowRecord, q snowQuery) []snowRecord {
	if len(q.alternatives) != 1 || len(q.order) == 0 {
		return rows
	}
	for _, clause := range q.alternatives[0] {
		if c := clause[0]; len(clause) == 1 && c.column == q.order[0] && strings.HasPrefix(c.operator, ">") && len(c.value) >= 10 {
			first, _ := slices.BinarySearchFunc(rows, c.value, func(row snowRecord, value string) int { return cmp.Compare(row[c.column], value) })
			rows = rows[first:]
		}
	}
	return rows
}

// ServiceNowCondition is one comparison of a query as an instance reads it.
type ServiceNowCondition struct{ Column, Operator, Value string }

// ReadQuery returns what an instance makes of a query on a table: alternatives of
// clauses of conditions, the order ("-" before a column that descends), and whether
// it ignored a part.
func (s *ServiceNow) ReadQuery(table, query string) (alternatives [][][]ServiceNowCondition, order []string, ignored bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.parse(table, query)
	for _, clauses := range q.alternatives {
		var out [][]ServiceNowCondition
		for _, clause := range clauses {
			var conditions []ServiceNowCondition
			for _, c := range clause {
				conditions = append(conditions, ServiceNowCondition{c.column, c.operator, c.value})
			}
			out = append(out, conditions)
		}
		alternatives = append(alternatives, out)
	}
	return alternatives, q.order, q.invalid
}
