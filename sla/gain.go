package sla

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// Aspect is what two offers are compared by.
type Aspect string

// The aspects of [Offer.Over], then those of [Offering.Over].
const (
	AspectUptime   Aspect = "uptime"
	AspectResponse Aspect = "response"
	AspectService  Aspect = "service"
	AspectFee      Aspect = "fee"

	AspectComponent       Aspect = "component"
	AspectMonitoring      Aspect = "monitoring"
	AspectAutomation      Aspect = "automation"
	AspectManagement      Aspect = "management"
	AspectAutomationLevel Aspect = "automation_level"
)

// Gain is one thing that an offer has over another.
type Gain struct {
	Aspect    Aspect            `json:"aspect"`
	Severity  incident.Severity `json:"severity,omitzero"`  // of AspectResponse
	Component Component         `json:"component,omitzero"` // of AspectMonitoring, AspectAutomation and AspectManagement

	Have string `json:"have"`
	Than string `json:"than,omitempty"` // what the other has; "" where it has nothing of the kind
}

// String returns a line such as "response P1: 2m, not 15m".
func (g Gain) String() string {
	text := string(g.Aspect)
	if g.Severity.IsSet() {
		text += " " + g.Severity.String()
	}
	if g.Component != 0 {
		text += " " + g.Component.String()
	}
	text += ": " + g.Have
	if g.Than != "" {
		text += ", not " + g.Than
	}
	return text
}

// Over lists what the offer has over another one: a higher uptime, a sooner
// response by severity, services that the other lacks, each in the order of the
// offer. The range of fees comes last, whenever the two differ: it is what the
// rest costs, higher or lower.
//
// A time up to a day counts as sooner than the next business day, a longer one
// as later. The calendars that targets name are not compared, and neither are
// services under different names.
func (o Offer) Over(other Offer) []Gain {
	var gains []Gain
	if o.Uptime > other.Uptime {
		gain := Gain{Aspect: AspectUptime, Have: o.Uptime.String()}
		if other.Uptime > 0 {
			gain.Than = other.Uptime.String()
		}
		gains = append(gains, gain)
	}
	for _, t := range o.Response {
		i := slices.IndexFunc(other.Response, func(u Target) bool { return u.Severity == t.Severity })
		gain := Gain{Aspect: AspectResponse, Severity: t.Severity, Have: t.promise()}
		if i >= 0 {
			if !t.sooner(other.Response[i]) {
				continue
			}
			gain.Than = other.Response[i].promise()
		}
		gains = append(gains, gain)
	}
	for _, s := range o.Services {
		if !slices.Contains(other.Services, s) {
			gains = append(gains, Gain{Aspect: AspectService, Have: s})
		}
	}
	if have, than := o.fees(), other.fees(); have != than && have != "" {
		gains = append(gains, Gain{Aspect: AspectFee, Have: have, Than: than})
	}
	return gains
}

// sooner reports whether t promises less time than u.
func (t Target) sooner(u Target) bool {
	const day = 24 * time.Hour
	switch {
	case t.NextDay != nil && u.NextDay != nil:
		return false
	case t.NextDay != nil:
		return u.Within > day
	case u.NextDay != nil:
		return t.Within <= day
	}
	return t.Within < u.Within
}

func (t Target) promise() string {
	if t.NextDay != nil {
		return "next business day"
	}
	return threshold.FormatDuration(t.Within)
}

func (o Offer) fees() string {
	if !o.FeeFrom.IsSet() || !o.FeeTo.IsSet() {
		return ""
	}
	return fmt.Sprintf("%s to %s", o.FeeFrom, o.FeeTo)
}
