// Package portal serves the pages of package page to the customers of a provider:
// status, budgets, incidents, maintenance, credits and reports, with calendars, a
// feed, a badge and an API. [Portal] is an [http.Handler] for many customers, and
// [Portal.WriteSite] writes the same pages as files for any web server.
//
//	p, err := portal.New(portal.Config{
//		BaseURL: "https://status.example.net",
//		Tenants: []portal.Tenant{{ID: "acme", Token: portal.TokenHashOf(token)}},
//	})
//	err = p.Update(acme) // a *page.Tenant; again whenever its data changes
//	err = portal.Server(p).Serve(listener)
//
// # Walls
//
// Whoever serves a request is handed the value of one customer and nothing else. A
// customer that is unknown, a token that is wrong or missing, a page that is turned
// off, a method that is not there: all of them are answered by the same bytes and the
// same headers, so nobody learns who the customers are. Badge, feeds and calendars of
// a private customer are behind its token like its pages. As calendars and readers of
// feeds cannot send headers, a second token opens these alone, in the query ?k=; the
// token of the pages is not taken there.
//
// # Limits
//
// TLS and users of their own are left to a proxy before the portal and to
// [Config].Authorize. Sessions end with the process, because their key is made when it
// starts, unless [Config].Key is set. All figures are those of package page; nothing is
// computed here.
package portal
