package sla

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Tier is one of three levels of managed service, each with its own promises
// and range of prices. The zero value is a contract of its own making.
type Tier uint8

// The tiers, cheapest first.
const (
	Essential Tier = iota + 1
	Professional
	Enterprise
)

// Tiers lists the tiers, cheapest first.
var Tiers = [...]Tier{Essential, Professional, Enterprise}

var tierNames = [...]string{"none", Essential: "essential", Professional: "professional", Enterprise: "enterprise"}

// String returns "essential", "professional" or "enterprise", and "none" for the
// zero value.
func (t Tier) String() string {
	if int(t) < len(tierNames) {
		return tierNames[t]
	}
	return fmt.Sprintf("Tier(%d)", uint8(t))
}

// MarshalText writes what String returns; an unknown value is an error.
func (t Tier) MarshalText() ([]byte, error) { return textOf("tier", tierNames[:], t) }

// UnmarshalText reads what String returns; empty text is the zero value.
func (t *Tier) UnmarshalText(text []byte) error {
	at := slices.Index(tierNames[:], string(text))
	if len(text) == 0 {
		at = 0
	}
	if at < 0 {
		return fmt.Errorf("sla: tier %q: want essential, professional, enterprise or none", text)
	}
	*t = Tier(at)
	return nil
}

// Offer is what a tier sells.
type Offer struct {
	Tier     Tier   `json:"tier"`
	Summary  string `json:"summary"`
	Coverage string `json:"coverage"`

	// Uptime is the promised share of a month.
	Uptime money.Percent `json:"uptime"`

	// Response holds the targets by severity, P1 first, with the credit for a
	// late answer.
	Response []Target `json:"response"`

	// FeeFrom and FeeTo bound the usual monthly fee, both inclusive.
	FeeFrom money.Amount `json:"fee_from"`
	FeeTo   money.Amount `json:"fee_to"`

	// Services lists what the fee includes.
	Services []string `json:"services"`
}

// OfficeHours is the name of the calendar that [Preset] defines for promises by
// the next business day: Monday to Friday, 09:00 to 18:00 in the zone of the
// contract.
const OfficeHours = "office"

// Offer returns what the tier sells; the zero Offer for the zero Tier. The
// caller may change it.
func (t Tier) Offer() Offer {
	o := Offer{Tier: t, Coverage: "24/7/365"}
	switch t {
	case Essential:
		o.Summary = "round-the-clock monitoring and basic incident response"
		o.Uptime = money.WholePercent(99)
		o.Response = responseTargets(15*time.Minute, time.Hour, 4*time.Hour, 0)
		o.FeeFrom, o.FeeTo = euros(15_000), euros(25_000)
		o.Services = []string{"infrastructure monitoring", "basic incident response", "e-mail and phone escalation", "monthly reporting"}
	case Professional:
		o.Summary = "operations with proactive management"
		o.Uptime = money.WholePercent(99) + money.WholePercent(1)/2
		o.Response = responseTargets(5*time.Minute, 30*time.Minute, 2*time.Hour, 4*time.Hour)
		o.FeeFrom, o.FeeTo = euros(35_000), euros(50_000)
		o.Services = []string{
			"advanced monitoring and alerting", "proactive maintenance", "performance optimisation", "change management", "root cause analysis", "weekly reviews",
		}
	case Enterprise:
		o.Summary = "partnership with a dedicated team"
		o.Uptime = money.WholePercent(100) - money.WholePercent(1)/10
		o.Response = responseTargets(2*time.Minute, 15*time.Minute, time.Hour, 2*time.Hour)
		o.FeeFrom, o.FeeTo = euros(75_000), euros(150_000)
		o.Services = []string{
			"dedicated operations team", "custom automation", "capacity planning", "architecture consulting", "disaster recovery tests", "executive reporting",
		}
	default:
		return Offer{}
	}
	return o
}

// TierFor returns the tier whose usual fees include a monthly fee. Between the
// ranges of two tiers, outside of all and in another currency it is the zero
// Tier.
func TierFor(fee money.Amount) Tier {
	for _, t := range Tiers {
		if t.Offer().Includes(fee) {
			return t
		}
	}
	return 0
}

// Includes reports whether a monthly fee is in the range of the offer; an offer
// without a range, or with one in another currency, includes none.
func (o Offer) Includes(fee money.Amount) bool {
	low, errLow := fee.Compare(o.FeeFrom)
	high, errHigh := fee.Compare(o.FeeTo)
	return errLow == nil && errHigh == nil && low >= 0 && high <= 0
}

// Downtime returns how long the service may be down in a period of that length,
// cut off to the nanosecond: (1 − uptime) · period. It is 0 for an empty period
// and for an offer without uptime.
func (o Offer) Downtime(period time.Duration) time.Duration {
	if period <= 0 || o.Uptime <= 0 || o.Uptime > whole {
		return 0
	}
	down, _, _ := fixed.MulDiv(uint64(period), uint64(whole-o.Uptime), whole)
	return time.Duration(down)
}

// responseTargets pairs the times with the credits that all tiers share; low
// severity earns none. A low of 0 is the next business day.
func responseTargets(critical, high, medium, low time.Duration) []Target {
	targets := []Target{
		{Severity: incident.P1, Within: critical, Credit: euros(500)},
		{Severity: incident.P2, Within: high, Credit: euros(200)},
		{Severity: incident.P3, Within: medium, Credit: euros(100)},
		{Severity: incident.P4, Within: low},
	}
	if low == 0 {
		targets[3].NextDay, targets[3].Calendar = &calendar.NextDayRule{}, OfficeHours
	}
	return targets
}

func euros(n int64) money.Amount { return money.Must(money.New(n*100, "EUR")) }

// Preset returns the reference contract of a tier: uptime with credit bands,
// response and resolution times, monitoring and data loss, credits summed and
// capped at the fee, a line rounded half up. Take CapPercent away for a contract
// without a cap. Maintenance announced 72 hours ahead is excluded.
//
// The fixed credits are in euros. For a fee in another currency [Compile]
// refuses them until the contract states its own. The zero Tier has no preset
// and gives a contract without terms.
func Preset(id string, tier Tier, zone string, fee money.Amount) Contract {
	full := money.WholePercent(100)
	c := Contract{ID: id, Tier: tier, Fee: fee, Zone: zone, CapPercent: &full}
	offer := tier.Offer()
	if offer.Tier == 0 {
		return c
	}
	hours := calendar.Hours{Zone: zone, Week: calendar.MondayToFriday("09:00", "18:00")}
	c.Calendars = map[string]calendar.Hours{OfficeHours: hours}
	c.Terms = []Term{
		{ID: "availability", Availability: &Availability{
			Target: offer.Uptime, Remedy: Bands{Bands: ReferenceBands()}, Exclude: []Cause{CauseMaintenance}, MinNotice: 72 * time.Hour,
		}},
		{ID: "response", Response: &Clock{Targets: offer.Response}},
		{ID: "resolution", Resolution: &Clock{Strict: true, Pausable: true, Targets: []Target{
			resolutionTarget(incident.P1, 2*time.Hour), resolutionTarget(incident.P2, 8*time.Hour),
			resolutionTarget(incident.P3, 24*time.Hour), resolutionTarget(incident.P4, 72*time.Hour),
		}}},
		{ID: "monitoring", Monitoring: &Monitoring{PercentPerHour: money.WholePercent(1)}},
		{ID: "data-loss", DataLoss: &Liability{Fees: 12}},
	}
	return c
}

func resolutionTarget(s incident.Severity, within time.Duration) Target {
	return Target{Severity: s, Within: within, CreditPercent: money.WholePercent(5)}
}

// ReferenceBands returns the credit bands that the presets share: 10 % of the
// fee below 99.0, 25 % below 98.0 and 50 % below 95.0 percent. They begin at
// 99.0 in every tier, so the presets with a higher target have a credit gap.
func ReferenceBands() []Band {
	percent := money.WholePercent
	return []Band{
		{Below: percent(99), From: percent(98), Credit: percent(10)},
		{Below: percent(98), From: percent(95), Credit: percent(25)},
		{Below: percent(95), From: 0, Credit: percent(50)},
	}
}
