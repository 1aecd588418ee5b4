package rootcause_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/rootcause"
)

func Example() {
	graph, err := correlation.NewGraph(&correlation.Topology{
		Edges: []correlation.Edge{{Dependent: "shop", Dependency: "cart"}, {Dependent: "cart", Dependency: "redis"}},
		Parts: map[string][]string{"cart": {"cart-1", "cart-2"}, "redis": {"redis-1", "redis-2"}},
	})
	if err != nil {
		panic(err)
	}
	ranker, err := rootcause.New(graph, rootcause.Options{})
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	causes := ranker.Rank([]rootcause.Symptom{
		{Entity: "shop", Signal: "latency", Since: at},
		{Entity: "cart", Signal: "latency", Since: at},
		{Entity: "cart-2", Signal: "cpu", Since: at},
		{Entity: "redis", Signal: "latency", Since: at.Add(time.Minute)},
		{Entity: "redis-1", Signal: "memory", Since: at},
		{Entity: "redis-2", Signal: "memory", Since: at},
	})
	for _, c := range causes[:2] {
		fmt.Printf("%s %.2f = %.2f + %.2f + %.2f\n", c.Entity, c.Score, c.Rarity, c.Topology, c.Lift)
		for _, reason := range c.Reasons {
			fmt.Println("  ", reason)
		}
	}
	// Output:
	// redis 2.00 = 0.33 + 0.67 + 1.00
	//    memory on 2 of its 2 parts (+1.00)
	//    latency on 2 that depend on it (+0.67)
	//    latency here and on 2 more (+0.33)
	// cart-2 1.00 = 1.00 + 0.00 + 0.00
	//    cpu nowhere else (+1.00)
}
