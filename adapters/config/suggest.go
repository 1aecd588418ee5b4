package config

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/spelling"
)

// zoneAliases maps spellings that are no IANA names, or load as something else
// than meant, to the zone that people mean by them.
var zoneAliases = map[string]string{
	"CET/CEST": "Europe/Amsterdam", "CET": "Europe/Amsterdam", "CEST": "Europe/Amsterdam",
	"CST/CDT": "America/Chicago", "CST": "America/Chicago", "CDT": "America/Chicago",
	"EST/EDT": "America/New_York", "EST": "America/New_York", "EDT": "America/New_York",
	"PST/PDT": "America/Los_Angeles", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles",
	"SGT": "Asia/Singapore", "JST": "Asia/Tokyo", "BST": "Europe/London", "GMT/BST": "Europe/London",
}

func parseZone(n *yaml.Node) (any, *Diagnostic) {
	if suggestion, ok := zoneAliases[strings.ToUpper(n.Value)]; ok {
		return nil, &Diagnostic{Code: "bad_zone", Message: fmt.Sprintf("%q is an abbreviation, want an IANA name", n.Value), Suggestion: suggestion}
	}
	loc, err := time.LoadLocation(n.Value)
	if err != nil || n.Value == "" || strings.EqualFold(n.Value, "Local") {
		return nil, &Diagnostic{Code: "bad_zone", Message: fmt.Sprintf("unknown zone %q", n.Value), Suggestion: spelling.Nearest(n.Value, zoneNames())}
	}
	return Zone{loc}, nil
}

// zoneNames are the zones worth suggesting: those of the alias table and the
// large cities of each region. A list of all is not part of the standard library.
var zoneNames = sync.OnceValue(func() []string {
	names := strings.Fields(`UTC
		Africa/Cairo Africa/Casablanca Africa/Johannesburg Africa/Lagos Africa/Nairobi
		America/Anchorage America/Argentina/Buenos_Aires America/Bogota America/Chicago America/Denver America/Halifax America/Havana America/Lima
		America/Los_Angeles America/Mexico_City America/New_York America/Phoenix America/Santiago America/Sao_Paulo America/Toronto America/Vancouver
		Asia/Bangkok Asia/Dhaka Asia/Dubai Asia/Hong_Kong Asia/Jakarta Asia/Jerusalem Asia/Karachi Asia/Kathmandu Asia/Kolkata Asia/Manila
		Asia/Riyadh Asia/Seoul Asia/Shanghai Asia/Singapore Asia/Taipei Asia/Tehran Asia/Tokyo
		Australia/Adelaide Australia/Brisbane Australia/Lord_Howe Australia/Melbourne Australia/Perth Australia/Sydney
		Europe/Amsterdam Europe/Athens Europe/Berlin Europe/Brussels Europe/Bucharest Europe/Copenhagen Europe/Dublin Europe/Helsinki Europe/Istanbul
		Europe/Kyiv Europe/Lisbon Europe/London Europe/Madrid Europe/Oslo Europe/Paris Europe/Prague Europe/Rome Europe/Stockholm Europe/Vienna
		Europe/Warsaw Europe/Zurich Pacific/Auckland Pacific/Honolulu`)
	slices.Sort(names)
	return names
})
