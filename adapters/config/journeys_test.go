package config_test

import (
	_ "embed"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/probe"
)

//go:embed testdata/journeys.yaml
var journeysFile string

func TestJourneys(t *testing.T) {
	list, _, err := config.ParseJourneys("journeys.yaml", []byte(journeysFile), anySecret)
	if err != nil {
		t.Fatal(err)
	}
	eur := "EUR"
	want := []probe.Journey{{
		Name: "buy", Variables: map[string]string{"shop": "https://shop.example", "password": "s"}, Timeout: 20 * time.Second,
		Steps: []probe.Step{
			{
				Name: "log in", Method: "POST", URL: "${shop}/login", Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
				Body: "user=probe&password=${password}", Timeout: 3 * time.Second, Status: []int{200, 201}, Extract: []probe.Extract{{Name: "token", JSON: "/token"}},
			},
			{
				Name: "search", URL: "${shop}/search?q=shoe", Header: map[string]string{"Authorization": "Bearer ${token}"},
				Check: []probe.Check{{JSON: "/count", AtLeast: "1"}, {Header: "X-Error", Absent: true}, {JSON: "/currency", Equals: &eur}},
			},
		},
		Cleanup: []probe.Step{{Name: "log out", URL: "${shop}/logout"}},
	}}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("got  %+v\nwant %+v", list, want)
	}
}

// Each problem stands where the file has it.
func TestJourneysProblems(t *testing.T) {
	for _, c := range []struct{ from, to, path string }{
		{"method: POST", "method: post", "journeys[0].steps[0].method"},
		{"url: ${shop}/login", "url: shop.example/login", "journeys[0].steps[0].url"},
		{"${token}", "${tokn}", "journeys[0].steps[1].header.Authorization"},
		{`at_least: "1"`, `at_least: "one"`, "journeys[0].steps[1].check[0].at_least"},
		{"timeout: 20s", "timeout: -20s", "journeys[0].timeout"},
		{"timeout: 3s", "timout: 3s", "journeys[0].steps[0].timout"},
		{"[200, 201]", "[99]", "journeys[0].steps[0].status"},
		{"secrets: {password", "secrets: {shop: {env: A}, password", "journeys[0].secrets.shop"},
		{"name: search", "name: log in", "journeys[0].steps[1].name"},
	} {
		_, d, err := config.ParseJourneys("journeys.yaml", []byte(strings.Replace(journeysFile, c.from, c.to, 1)), anySecret)
		var paths []string
		lines := true
		for _, p := range d.Problems() {
			paths = append(paths, p.Path)
			lines = lines && p.Line > 1
		}
		if err == nil || len(paths) != 1 || paths[0] != c.path || !lines {
			t.Errorf("%s: problems %q, %v; want one at %s", c.to, paths, err, c.path)
		}
	}
	_, d, err := config.ParseJourneys("journeys.yaml", []byte(journeysFile), noSecrets)
	if err == nil || len(d.Problems()) != 1 || d.Problems()[0].Path != "journeys[0].secrets.password" {
		t.Errorf("without the secret: %v, want that it is missing", err)
	}
}

func FuzzJourneys(f *testing.F) {
	f.Add([]byte(journeysFile))
	f.Add([]byte("journeys: [{name: a, steps: [{name: b, url: '${'}]}]"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _, _ = config.ParseJourneys("journeys.yaml", data, anySecret)
	})
}

func ExampleParseJourneys() {
	list, _, err := config.ParseJourneys("journeys.yaml", []byte(`
journeys:
  - name: home
    steps:
      - {name: open, url: "https://shop.example/", check: [{contains: Welcome}]}
`), config.Secrets{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(list[0].Name, list[0].Steps[0].URL)
	// Output: home https://shop.example/
}
