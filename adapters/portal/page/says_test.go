package page_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/incident/continuity"
)

// items are those of lists that have a state.
var items = regexp.MustCompile(`<li><span class="state.*</li>`)

// A finding of the catalogue is a sentence in every language, with its instants in the
// zone of the page, which is Amsterdam: 08:00 UTC on 3 August is 10:00 there.
func TestFindings(t *testing.T) {
	tenant := sample(t, 1)
	at := func(text string) time.Time {
		i, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	var err error
	tenant.At = at("2026-11-20T12:00:00Z")
	tenant.Catalogue, err = continuity.New(continuity.Catalogue{
		Services: []continuity.Service{{ID: "s01", Owner: "Team Commerce", Tier: "gold", Lines: []string{"desk"}, EndOfSale: "2026-10-31"}},
		Runbooks: []continuity.Runbook{{ID: "RB-1", Services: []string{"s01"}, Purpose: continuity.ForDR, Owner: "Team Commerce", Steps: []string{"switch"}, ReviewedAt: at("2026-11-01T08:00:00Z"), RehearsedAt: at("2026-11-01T08:00:00Z")}},
		Tasks:    []continuity.Task{{ID: "T-1", Service: "s01", Kind: continuity.PatchLevel, Due: "2026-11-10", Owner: "Team Ops"}},
		Policy:   continuity.Policy{RestoreEvery: 90 * 24 * time.Hour},
	})
	if err != nil {
		t.Fatal(err)
	}
	began := at("2026-08-03T05:00:00Z")
	if err := tenant.Catalogue.AddRestore(continuity.Restore{
		Service: "s01", Backup: "B-1", Kind: continuity.Side, Source: began.Add(-time.Hour), FailedAt: began, Lost: began, Started: began, Restored: began.Add(2 * time.Hour), Verified: began.Add(3 * time.Hour),
		Newest: began.Add(-time.Hour), By: "alice", Method: "row counts", Check: continuity.Passed, Artefact: strings.Repeat("0a", 32), RTOTarget: 4 * time.Hour, RPOTarget: 30 * time.Minute,
	}, tenant.At); err != nil {
		t.Fatal(err)
	}
	// 109 days and 4 hours lie between the proof and the page.
	for lang, sentences := range map[string][]string{
		"en": {
			"the last proof of a whole restore, of backup B-1 on 3 Aug 2026 10:00 CEST, is 109 days old, less than 90 days is wanted",
			"loss of data of the restore of backup B-1 was 1h, less than 30m is agreed",
			"patch level was due on 10 Nov 2026, owner Team Ops", "31 Oct 2026 was the last date on which it was sold", "disaster recovery was never tested",
		},
		"de": {
			"der letzte Nachweis einer vollständigen Wiederherstellung, aus der Sicherung B-1 am 03.08.2026 10:00 CEST, ist 109 Tage alt, verlangt sind weniger als 90 Tage",
			"mit der Wiederherstellung der Sicherung B-1 gingen Daten von 1 h verloren, vereinbart sind weniger als 30 min",
			"Patchstand war fällig am 10.11.2026, zuständig ist Team Ops", "31.10.2026 war der letzte Tag, an dem der Dienst verkauft wurde", "der Katastrophenfall wurde nie getestet",
		},
		"nl": {
			"het laatste bewijs van een volledig herstel, uit back-up B-1 op 03-08-2026 10:00 CEST, is 109 dagen oud, minder dan 90 dagen is vereist",
			"patchniveau moest uiterlijk op 10-11-2026 gedaan zijn, eigenaar Team Ops", "het calamiteitenherstel is nooit getest",
		},
		"fr": {
			"la dernière preuve d'une restauration complète, de la sauvegarde B-1 le 03/08/2026 10:00 CEST, date de 109 jours, moins de 90 jours est exigé", //nolint:misspell // French
			"niveau des correctifs était à faire au plus tard le 10/11/2026, responsable Team Ops", "la reprise après sinistre n'a jamais été testée",       //nolint:misspell // French
		},
	} {
		// The forms of numbers and dates have blanks that do not break.
		body := strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(html.UnescapeString(rendered(t, tenant, nil, page.Options{Locale: lang})["catalogue"]))
		for _, s := range sentences {
			if !strings.Contains(body, s) {
				t.Errorf("%s: no %q in\n%s", lang, s, items.FindAllString(body, -1))
			}
		}
	}
}
