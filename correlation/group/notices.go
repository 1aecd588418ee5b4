package group

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
)

// FlappingLabel is the label by which the item of an alert that flaps differs from the
// alert: its value is "true".
const FlappingLabel = "flapping"

// StormLayer is the layer of the items of storms: storm.all for one of a whole tenant,
// storm.<name> for one of the alerts of a name. [SeverityLabel] is their one label.
const StormLayer = "storm"

// SeverityLabel is the label of the items of storms, such as "P2". It is missing where
// no alert has a severity.
const SeverityLabel = "severity"

// Transitions makes the notices of a correlation.Damper into transitions for
// [Grouper.Apply], in their order, so that they are grouped with the rest:
//
//	told, err := grouper.Apply(at, group.Transitions(damper.Filter(transitions)...)...)
//
// An alert that begins to flap is replaced by an item with its name and labels and
// [FlappingLabel], so it goes where the alert goes; when the flapping ends, that item is
// over, and the alert is back if it fires. A storm is an item with no labels but
// [SeverityLabel]: the root route takes it, unless a route asks for its name or severity
// or for labels to be missing. A rise replaces it by one of the higher severity, so that
// it is told; its end brings the alerts that it lists. The item of a storm is annotated
// with how many notifications were "held" and the "names" of their alerts.
//
// All that is told to begin is told to be over. The transitions contain ends of items that
// never were; a Grouper passes them over.
func Transitions(notices ...correlation.Notice) []correlation.Transition {
	var list []correlation.Transition
	tell := func(at time.Time, kind correlation.Kind, a correlation.Alert) {
		a.Active = kind == correlation.Notify
		list = append(list, correlation.Transition{At: at, Kind: kind, Alert: a})
	}
	for n := range notices {
		switch x := &notices[n]; x.Kind {
		case correlation.Tell:
			list = append(list, *x.Transition)
		case correlation.FlapStart:
			tell(x.At, correlation.Resolve, *x.Alert)
			tell(x.At, correlation.Notify, flapping(*x.Alert))
		case correlation.FlapEnd:
			tell(x.At, correlation.Resolve, flapping(*x.Alert))
			if x.Alert.Active {
				tell(x.At, correlation.Notify, *x.Alert)
			}
		case correlation.StormStart:
			tell(x.At, correlation.Notify, storm(x.Storm, x.Storm.Severity))
		case correlation.StormRise:
			for _, lower := range []incident.Severity{0, incident.P4, incident.P3, incident.P2} {
				if lower.Compare(x.Storm.Severity) < 0 {
					tell(x.At, correlation.Resolve, storm(x.Storm, lower))
				}
			}
			tell(x.At, correlation.Notify, storm(x.Storm, x.Storm.Severity))
		case correlation.StormEnd:
			tell(x.At, correlation.Resolve, storm(x.Storm, x.Storm.Severity))
			for _, a := range x.Storm.Firing {
				tell(x.At, correlation.Notify, a)
			}
		}
	}
	return list
}

// flapping is the item of an alert that flaps.
func flapping(a correlation.Alert) correlation.Alert {
	labels := a.Labels.Map()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[FlappingLabel] = "true"
	a.Labels = correlation.LabelsOf(labels)
	return a
}

// storm is the item of a storm while it has a severity.
func storm(s *correlation.Storm, severity incident.Severity) correlation.Alert {
	a := correlation.Alert{Tenant: s.Tenant, Name: StormLayer + ".all", Since: s.Since, Severity: severity}
	if s.Name != "" {
		a.Name = StormLayer + "." + s.Name
	}
	if severity.IsSet() {
		a.Labels = correlation.LabelsOf(map[string]string{SeverityLabel: severity.String()})
	}
	names := make([]string, 0, len(s.Names))
	for _, name := range slices.Sorted(maps.Keys(s.Names)) {
		names = append(names, fmt.Sprintf("%s %d", name, s.Names[name]))
	}
	a.Annotations = map[string]string{"held": strconv.Itoa(s.Held), "names": strings.Join(names, ", ")}
	return a
}
