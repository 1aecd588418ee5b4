package anomaly_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly"
)

// small is a detector of a service with few trees.
func small(tb testing.TB, service string) *anomaly.Detector {
	tb.Helper()
	h := anomaly.History{Names: seedNames, Rows: drawHealthy(rand.New(rand.NewPCG(1, 1)), 20)}
	d, err := anomaly.Fit(service, h, &anomaly.Options{Trees: 2})
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func TestRegistryBudget(t *testing.T) {
	size := small(t, "a").Size()
	r := anomaly.Registry{Budget: 3*size + size/2}
	put := func(tenant, service string) []anomaly.RegistryKey { return r.Put(tenant, small(t, service)) }
	ask := func(tenant, service string) {
		if _, err := r.Get(tenant, service); err != nil {
			t.Fatal(err)
		}
	}
	for _, service := range []string{"a", "b", "c"} {
		if got := put("acme", service); got != nil {
			t.Errorf("put %s evicts %v within the budget", service, got)
		}
	}
	if r.Size() > r.Budget || r.Size() < 2*size {
		t.Errorf("Size = %d, want about %d", r.Size(), 3*size)
	}
	ask("acme", "a") // b is now the longest unused: c was put last
	if got, want := put("acme", "d"), []anomaly.RegistryKey{{"acme", "b"}}; !slices.Equal(got, want) {
		t.Errorf("put d evicts %v, want %v", got, want)
	}
	if _, err := r.Get("acme", "b"); !errors.Is(err, anomaly.ErrUnknownService) {
		t.Errorf("an evicted service: %v, want ErrUnknownService", err)
	}
	// a and c were used in one round; a was put first.
	ask("acme", "d")
	if got, want := put("globex", "a"), []anomaly.RegistryKey{{"acme", "a"}}; !slices.Equal(got, want) {
		t.Errorf("put a of another tenant evicts %v, want %v", got, want)
	}
	if got, want := r.Keys(), []anomaly.RegistryKey{{"acme", "c"}, {"acme", "d"}, {"globex", "a"}}; !slices.Equal(got, want) {
		t.Errorf("Keys = %v, want %v", got, want)
	}
	if got := put("globex", "a"); got != nil {
		t.Errorf("replacing evicts %v", got)
	}
	// One that is too large for the budget is alone.
	if got := r.Put("acme", healthy(t, nil)); len(got) != 3 || len(r.Keys()) != 1 {
		t.Errorf("a large one evicts %v and leaves %v", got, r.Keys())
	}
	r.Remove("acme", "user_api")
	if r.Size() != 0 || len(r.Keys()) != 0 {
		t.Errorf("after removing: %d bytes, %v", r.Size(), r.Keys())
	}
	var empty anomaly.Registry
	if empty.Size() != 0 || empty.Keys() != nil {
		t.Error("an empty registry holds something")
	}
}

// Readers, writers and evictions at once; a reader gets a whole detector or ErrUnknownService.
func TestRegistryRace(t *testing.T) {
	services := make([]*anomaly.Detector, 6)
	for i := range services {
		services[i] = small(t, fmt.Sprint("s", i))
	}
	r := anomaly.Registry{Budget: 4 * services[0].Size()}
	rounds := 2000
	if raceEnabled {
		rounds = 300
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range rounds {
				name := services[(i+g)%len(services)].Service()
				switch d, err := r.Get("acme", name); {
				case err == nil && d.Service() != name:
					t.Errorf("Get(%s) = %s", name, d.Service())
				case err != nil && !errors.Is(err, anomaly.ErrUnknownService):
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for i := range rounds {
				r.Put("acme", services[i%len(services)])
				if i%7 == 0 {
					r.Remove("acme", services[(i+3)%len(services)].Service())
				}
			}
		})
	}
	wg.Wait()
	if r.Size() > r.Budget {
		t.Errorf("%d bytes, budget %d", r.Size(), r.Budget)
	}
}
