package pagerduty_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
)

func TestEdges(t *testing.T) {
	client, fake, _ := setUp(t, func(_ *pagerduty.Config, o *adaptertest.PagerDutyOptions) {
		o.BusinessServices = []adaptertest.PagerDutyThing{{ID: "PBUY", Name: "buying"}}
		o.Dependencies = []adaptertest.PagerDutyDependency{
			{ID: "D1", Dependent: "PSHOP", Supporting: "PDB", DependentType: "service", SupportsBy: "technical_service_reference"},
			{ID: "D2", Dependent: "PBUY", Supporting: "PSHOP", DependentType: "business_service_reference", SupportsBy: "service"},
			{ID: "D3", Dependent: "PDB", Supporting: "PHIDDEN", DependentType: "service", SupportsBy: "service"},
		}
	})
	var got []adapters.Edge
	for e, err := range client.Edges(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	want := []adapters.Edge{
		{Dependent: "buying", Dependency: "checkout", Type: "business_service -> service"},
		{Dependent: "checkout", Dependency: "database", Type: "service -> service"},
		{Dependent: "database", Dependency: "PHIDDEN", Type: "service -> service"},
	}
	slices.SortFunc(got, func(a, b adapters.Edge) int { return cmp.Compare(a.Dependent, b.Dependent) })
	if !slices.Equal(got, want) {
		t.Errorf("edges %+v, want %+v", got, want)
	}
	if n := fake.Asked("GET /service_dependencies/technical_services/{id}"); n != 2 {
		t.Errorf("%d requests, want one for each of 2 services", n)
	}
}
