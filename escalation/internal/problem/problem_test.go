package problem_test

import (
	"errors"
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
)

// Problems of a part keep their cause and get the path at which the part stands.
func TestPaths(t *testing.T) {
	p := problem.New()
	if err := p.Err(); err != nil {
		t.Errorf("empty list: %v, want nil", err)
	}
	cause := errors.New("why")
	p.At("lines").At("[2]").At("name").Wrap("x", "a name", cause)
	_, err := escalation.NewHours("CST", []escalation.Window{{From: "9", To: "18:00"}})
	p.At("desk[%d]", 1).Join(err)
	p.Join(escalation.Window{From: "09:00"}.Validate())
	p.Join(nil)
	fixture.Problems(t, "Err", p.Err(), []string{`lines[2].name "x": want a name: why`, `desk[1].timezone "CST"`, `desk[1].hours[0].from "9"`, `to ""`})
	if !errors.Is(p.Err(), cause) {
		t.Error("the cause is lost")
	}
}
