package servicenow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Verify compares the configuration with the instance: whether the columns exist
// (what an instance does not know it ignores, in queries and in lists of columns),
// whether they are at least as long as Config.Lengths says, whether states, reasons
// to hold and close codes are choices, whether groups exist, and with Config.Staging
// whether its transform map coalesces on correlation_id. All problems are in the
// error, of kind [adapters.Invalid]. It reads sys_dictionary, sys_choice and
// sys_db_object, for which the user may need the role personalize_dictionary;
// without it they look empty.
func (c *Client) Verify(ctx context.Context) error {
	r := request{op: "verify"}
	tables, err := c.lineage(ctx, r, c.config.Table)
	if err != nil {
		return err
	}
	var problems []error
	for _, check := range []func(context.Context, request, []string) ([]error, error){c.verifyColumns, c.verifyChoices, c.verifyGroups, c.verifyStaging} {
		found, err := check(ctx, r, tables)
		if err != nil {
			return err
		}
		problems = append(problems, found...)
	}
	if err := errors.Join(problems...); err != nil {
		return c.fail(r, adapters.Invalid, err)
	}
	return nil
}

// lineage returns a table and those that it extends, up to 20.
func (c *Client) lineage(ctx context.Context, r request, table string) ([]string, error) {
	tables := []string{table}
	for len(tables) < 20 {
		rows, err := c.lookUp(ctx, r, "sys_db_object", []key{{"name", tables[len(tables)-1]}}, []string{"sys_id", "super_class.name"})
		switch {
		case err != nil:
			return nil, err
		case len(rows) == 0 && len(tables) == 1:
			return nil, c.fail(r, adapters.Invalid, fmt.Errorf("table %s: not there, or the user may not read sys_db_object", table))
		case len(rows) == 0 || rows[0]["super_class.name"] == "":
			return tables, nil
		}
		tables = append(tables, rows[0]["super_class.name"])
	}
	return tables, nil
}

func (c *Client) verifyColumns(ctx context.Context, r request, tables []string) (problems []error, err error) {
	lengths := map[string]int{}
	q := Where("name", OneOf, tables...).And("element", NotEmpty)
	for row, err := range c.walk(ctx, r, "sys_dictionary", q, []string{"name", "element", "max_length"}, "", place{}) {
		if err == nil && !slices.Contains(tables, row["name"]) {
			err = c.fail(r, adapters.BadResponse, errors.New("the instance ignored that tables were asked for"))
		}
		if err != nil {
			return nil, err
		}
		n, _ := strconv.Atoi(row["max_length"]) // 0 where there is none
		lengths[row["element"]] = max(n, lengths[row["element"]])
	}
	wanted := append(c.ticketColumns(), "impact", "urgency", "close_code", "close_notes", "hold_reason", "follow_up", "parent_incident", workNotes, comments)
	for _, column := range wanted {
		if _, there := lengths[column]; !there {
			problems = append(problems, fmt.Errorf("column %s.%s: not there, or the user may not read sys_dictionary", tables[0], column))
		}
	}
	for _, column := range slices.Sorted(maps.Keys(c.config.Lengths)) {
		if n := lengths[column]; n > 0 && n < c.config.Lengths[column] {
			problems = append(problems, fmt.Errorf("column %s.%s: %d characters long, Lengths says %d", tables[0], column, n, c.config.Lengths[column]))
		}
	}
	return problems, nil
}

func (c *Client) verifyChoices(ctx context.Context, r request, tables []string) (problems []error, err error) {
	wanted := map[string][]string{"close_code": {c.config.CloseCode, c.config.DuplicateCode}}
	for _, pair := range c.config.States {
		wanted["state"] = append(wanted["state"], pair.Theirs)
	}
	for _, pair := range c.config.HoldReasons {
		wanted["hold_reason"] = append(wanted["hold_reason"], pair.Theirs)
	}
	for _, pair := range c.config.Severities {
		wanted["impact"] = append(wanted["impact"], pair.Theirs.Impact)
		wanted["urgency"] = append(wanted["urgency"], pair.Theirs.Urgency)
	}
	columns := slices.Sorted(maps.Keys(wanted))
	there := map[key]bool{}
	q := Where("name", OneOf, tables...).And("element", OneOf, columns...).And("inactive", Equal, "false")
	for row, err := range c.walk(ctx, r, "sys_choice", q, []string{"name", "element", "value", "inactive"}, "", place{}) {
		if err == nil && (!slices.Contains(tables, row["name"]) || !slices.Contains(columns, row["element"]) || row["inactive"] != "false") {
			err = c.fail(r, adapters.BadResponse, errors.New("the instance ignored that choices were asked for"))
		}
		if err != nil {
			return nil, err
		}
		there[key{row["element"], row["value"]}] = true
	}
	for _, column := range columns {
		slices.Sort(wanted[column])
		for _, value := range slices.Compact(wanted[column]) {
			if !there[key{column, value}] {
				problems = append(problems, fmt.Errorf("column %s.%s: no choice %q", tables[0], column, value))
			}
		}
	}
	return problems, nil
}

func (c *Client) verifyGroups(ctx context.Context, r request, _ []string) (problems []error, err error) {
	for _, group := range append(slices.Clone(c.config.Levels), c.config.Group) {
		if group == "" {
			continue
		}
		column := "name"
		if isSysID(group) {
			column = "sys_id"
		}
		rows, err := c.lookUp(ctx, r, "sys_user_group", []key{{column, group}}, []string{"sys_id"})
		if err != nil {
			return nil, err
		}
		if len(rows) != 1 {
			problems = append(problems, fmt.Errorf("group %q: %d of the name, want 1", group, len(rows)))
		}
	}
	return problems, nil
}

func (c *Client) verifyStaging(ctx context.Context, r request, tables []string) (problems []error, err error) {
	if c.config.Staging == "" {
		return nil, nil
	}
	of := []key{
		{"map.source_table", c.config.Staging}, {"map.target_table", tables[0]}, {"target_field", "correlation_id"}, {"coalesce", "true"},
	}
	rows, err := c.lookUp(ctx, r, "sys_transform_entry", of, []string{"sys_id"})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		problems = append(problems, fmt.Errorf("staging table %s: no transform map into %s that coalesces on correlation_id", c.config.Staging, tables[0]))
	}
	return problems, nil
}
