package portal_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// A private customer answers to its token, and to nobody else.
func Example() {
	p, err := portal.New(portal.Config{
		BaseURL: "https://status.example.net",
		Tenants: []portal.Tenant{{ID: "acme", Token: portal.TokenHashOf("correct horse")}},
	})
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	err = p.Update(&page.Tenant{
		ID: "acme", Name: "Acme Retail", At: at, Services: []page.Service{{ID: "shop"}},
		Evidence: sla.Evidence{
			Observed: calendar.Interval{Start: at.AddDate(0, -1, 0), End: at},
			Outages:  []sla.Outage{{Service: "shop", Start: at.Add(-time.Hour)}},
		},
	})
	if err != nil {
		panic(err)
	}
	for _, token := range []string{"correct horse", "battery staple"} {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/t/acme/badge.svg?metric=status", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Content-Type"))
	}
	// Output:
	// 200 image/svg+xml
	// 404 text/html; charset=utf-8
}
