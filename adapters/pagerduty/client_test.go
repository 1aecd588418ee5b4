package pagerduty_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
)

func TestCapabilities(t *testing.T) {
	client, _, _ := setUp(t)
	reader, fake, _ := setUp(t, func(c *pagerduty.Config, _ *adaptertest.PagerDutyOptions) { c.From = "" })
	events, _, _ := setUpEvents(t)
	if !client.Capabilities().Has(adapters.CanOpen, adapters.CanMerge, adapters.CanExport) || reader.Capabilities().Has(adapters.CanOpen) || events.Capabilities().Has(adapters.CanNote) {
		t.Error("capabilities are wrong")
	}
	for _, c := range []adapters.Capable{client, reader, events} {
		if !slices.IsSorted(c.Capabilities()) || c.Provider() != "pagerduty" {
			t.Errorf("%T: %v", c, c.Capabilities())
		}
	}
	if _, err := reader.Open(t.Context(), down("k")); !errors.Is(err, adapters.Unsupported) || fake.Asked("POST /incidents") != 0 {
		t.Errorf("open without From: %v, want unsupported", err)
	}
}
