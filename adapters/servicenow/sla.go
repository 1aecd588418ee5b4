package servicenow

import (
	"context"
	"errors"
	"fmt"

	"github.com/evenkeelops/evenkeel/adapters"
)

var slaColumns = []string{
	"task", "sla.name", "sla.duration", "stage", "has_breached", "start_time", "end_time", "planned_end_time",
	"duration", "time_left", "business_duration", "business_time_left",
}

// Clocks reads the task_sla rows of a ticket, in the order in which they were
// attached, those of cancelled agreements left out. Elapsed and Remaining are
// business time, or actual time where the instance has no business time; after a
// breach Remaining is Goal less Elapsed.
func (c *Client) Clocks(ctx context.Context, ref adapters.Ref) ([]adapters.Clock, error) {
	r, err := c.on("clocks", ref)
	if err != nil {
		return nil, err
	}
	var out []adapters.Clock
	for row, err := range c.walk(ctx, r, "task_sla", Where("task", Equal, ref.ID), slaColumns, createdOn, place{}) {
		if err == nil && row["task"] != ref.ID {
			err = c.fail(r, adapters.BadResponse, errors.New("the instance ignored a part of the query for clocks"))
		}
		if err != nil {
			return nil, err
		}
		if row["stage"] == "cancelled" {
			continue
		}
		clock, err := clockOf(row)
		if err != nil {
			return nil, c.fail(r, adapters.BadResponse, err)
		}
		out = append(out, clock)
	}
	return out, nil
}

func clockOf(row Record) (adapters.Clock, error) {
	clock := adapters.Clock{Name: row["sla.name"], Breached: row["has_breached"] == "true", Paused: row["stage"] == "paused"}
	var problems []error
	note := func(column string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("task_sla.%s: %w", column, err))
		}
	}
	var err error
	clock.Start, err = ParseTime(row["start_time"])
	note("start_time", err)
	clock.Stop, err = ParseTime(row["end_time"])
	note("end_time", err)
	clock.Breach, err = ParseTime(row["planned_end_time"])
	note("planned_end_time", err)
	goal, hasGoal, err := ParseDuration(row["sla.duration"])
	note("sla.duration", err)
	elapsed, known, err := ParseDuration(row["business_duration"])
	note("business_duration", err)
	left, hasLeft, err := ParseDuration(row["business_time_left"])
	note("business_time_left", err)
	if !known {
		elapsed, _, err = ParseDuration(row["duration"])
		note("duration", err)
		left, hasLeft, err = ParseDuration(row["time_left"])
		note("time_left", err)
	}
	switch {
	case clock.Breached && hasGoal:
		left = goal - elapsed // the instance stops counting down at 0
	case !hasGoal && hasLeft:
		goal = elapsed + left
	}
	clock.Goal, clock.Elapsed, clock.Remaining = goal, elapsed, left
	return clock, errors.Join(problems...)
}
