package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
)

const articles = `version: 1
articles:
  - {id: KE-1, service: shop, title: Cart is empty, text: "Sign in again.\n\nThe cart comes back.", known_error: true, changed: 2026-10-01T09:00:00+02:00}
  - {id: KB-2, title: How to reach us, text: By the form.}
`

func TestArticles(t *testing.T) {
	list, _, err := config.ParseArticles("a.yaml", []byte(articles))
	if err != nil || len(list) != 2 {
		t.Fatalf("%d articles, %v", len(list), err)
	}
	first := list[0]
	changed := time.Date(2026, 10, 1, 7, 0, 0, 0, time.UTC)
	if first.ID != "KE-1" || first.Service != "shop" || !first.KnownError || !first.Changed.Equal(changed) || first.Text != "Sign in again.\n\nThe cart comes back." {
		t.Errorf("%+v", first)
	}
	if second := list[1]; second.Service != "" || second.KnownError || !second.Changed.IsZero() {
		t.Errorf("%+v", second)
	}
}

// Every problem is told at once, where it stands.
func TestArticlesErrors(t *testing.T) {
	const text = `version: 1
articles:
  - {id: a, title: "", text: b}
  - {id: a, title: c, text: d, known: true}
  - {id: e, title: f}
  - {id: g, title: h, text: i, changed: 2026-10-01T09:00:00}
`
	_, _, err := config.ParseArticles("a.yaml", []byte(text))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"a.yaml:3:20: articles[0].title: empty", "a.yaml:4:10: articles[1].id", "articles[1].known: ", "articles[2].text: ", "a.yaml:6:41: articles[3].changed: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in\n%v", want, err)
		}
	}
}
