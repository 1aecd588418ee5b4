package pagerduty

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
)

var _ adapters.Topologist = (*Client)(nil)

// Edges yields the dependencies of all services, technical and business ones, each
// once. Entities are the names of services, or the ids of those that are not
// listed; the type says of which sort both are, "business_service -> service". It
// costs one request for each service.
func (c *Client) Edges(ctx context.Context) iter.Seq2[adapters.Edge, error] {
	return func(yield func(adapters.Edge, error) bool) {
		const op = "edges"
		names, paths := map[string]string{}, map[string]string{}
		for _, kind := range []struct{ list, below string }{
			{"services", "/service_dependencies/technical_services/"}, {"business_services", "/service_dependencies/business_services/"},
		} {
			for s, err := range list[struct {
				sdk.APIObject
				Name string `json:"name"`
			}](ctx, c, request{op: op, path: "/" + kind.list}, kind.list) {
				if err != nil {
					yield(adapters.Edge{}, err)
					return
				}
				names[s.ID], paths[s.ID] = cmp.Or(s.Name, s.Summary), kind.below+url.PathEscape(s.ID)
			}
		}
		seen := map[adapters.Edge]bool{}
		for _, id := range slices.Sorted(maps.Keys(paths)) {
			var answer sdk.ListServiceDependencies
			if err := c.do(ctx, request{op: op, method: http.MethodGet, path: paths[id]}, &answer); err != nil {
				yield(adapters.Edge{}, err)
				return
			}
			for _, r := range answer.Relationships {
				if r == nil || r.DependentService == nil || r.SupportingService == nil {
					continue
				}
				from, to := *r.DependentService, *r.SupportingService
				e := adapters.Edge{
					Dependent: cmp.Or(names[from.ID], from.ID), Dependency: cmp.Or(names[to.ID], to.ID),
					Type: sortOf(from.Type) + " -> " + sortOf(to.Type),
				}
				if seen[e] {
					continue // listed with either end
				}
				seen[e] = true
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// sortOf takes "technical_service_reference" and the like to "service" and
// "business_service".
func sortOf(kind string) string {
	return strings.TrimPrefix(strings.TrimSuffix(kind, "_reference"), "technical_")
}
