// Package page renders what a provider shows its customers, and itself: status,
// error budgets, incidents with their reviews, maintenance, credits, the catalogue
// with its proofs of recovery, help, monthly reports, and the dashboard of the
// operations.
//
// A page is a function of one [Tenant], a [Name] and [Options], and of nothing else,
// so what one customer sees cannot hold anything of another, and the same input gives
// the same bytes. [Tenant.Pages] lists what a customer has, [Tenant.Write] renders
// one of them, [Tenant.Report] a monthly report and [Ops.Write] the dashboard:
//
//	for _, n := range tenant.Pages(page.Options{Static: true}) {
//		err := tenant.Write(file(n), n, page.Options{Static: true})
//	}
//
// Pages are HTML that is well-formed XML too. They have no script, no style outside
// the one sheet that [Style] returns, and load nothing from elsewhere, so the strictest
// content security policy holds:
//
//	default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'
//
// Charts are inline SVG with the same data as a table below. Every state is a glyph
// and a word; colour repeats it. Words are those of the four languages of
// internal/locale. All functions may be used concurrently as long as nobody changes
// the tenant meanwhile.
package page
