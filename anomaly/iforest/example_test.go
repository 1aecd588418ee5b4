package iforest_test

import (
	"fmt"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
)

// Twenty usual measurements of load and latency, and two to judge.
func Example() {
	var rows [][]float64
	for i := range 20 {
		rows = append(rows, []float64{40 + float64(i%5), 150 + float64(7*i%11)})
	}
	f, err := iforest.Fit(rows, &iforest.Options{Seed: 42})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range [][]float64{{42, 155}, {42, 900}} {
		d, err := f.Decision(row)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(row, "outlier:", d < 0)
	}
	// Output:
	// [42 155] outlier: false
	// [42 900] outlier: true
}

func ExampleForest_Attribute() {
	var rows [][]float64
	for i := range 200 {
		rows = append(rows, []float64{float64(i % 20), float64(i * 7 % 23)})
	}
	f, err := iforest.Fit(rows, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	credit := make([]float64, 2)
	if err := f.Attribute(credit, []float64{10, 60}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("second column is to blame:", credit[1] > 10*max(credit[0], 0))
	// Output: second column is to blame: true
}

func ExampleParseModel() {
	f, err := iforest.Grow([][]float64{{1}, {2}, {3}, {50}}, &iforest.Options{Trees: 10, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(f.Trees), "trees of", f.MaxSamples, "rows")

	_, err = iforest.ParseModel([]byte(`{"n_features": 1, "max_samples": 4, "trees": []}`))
	fmt.Println(err)
	// Output:
	// 10 trees of 4 rows
	// iforest: model: trees: is empty, want at least one tree
}

// A forest goes into a store as bytes and scores the same afterwards.
func ExampleParseForest() {
	f, err := iforest.Fit([][]float64{{1}, {2}, {3}, {2}, {1}, {50}}, &iforest.Options{Trees: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := f.MarshalBinary()
	if err != nil {
		fmt.Println(err)
		return
	}
	back, err := iforest.ParseForest(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	was, _ := f.Score([]float64{50})
	is, _ := back.Score([]float64{50})
	fmt.Println(was == is)
	// Output:
	// true
}

// Two nodes grow trees on rows of their own; together they score as one forest.
func ExampleAppend() {
	var forests []*iforest.Forest
	for seed := range uint32(2) {
		rows := [][]float64{{1}, {2}, {3}, {4}, {5}, {6}, {7}, {8 + float64(seed)}}
		f, err := iforest.Fit(rows, &iforest.Options{Trees: 50, Seed: seed})
		if err != nil {
			fmt.Println(err)
			return
		}
		forests = append(forests, f)
	}
	all, err := iforest.Append(forests...)
	if err != nil {
		fmt.Println(err)
		return
	}
	usual, _ := all.Score([]float64{4})
	odd, _ := all.Score([]float64{40})
	fmt.Println(all.Trees(), odd < usual)
	// Output:
	// 100 true
}
