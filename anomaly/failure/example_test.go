package failure_test

import (
	"fmt"

	"github.com/evenkeelops/evenkeel/anomaly/failure"
)

// Six disks failed at these ages in days, four still work at theirs. How likely is a disk
// of 900 days to fail within a month?
func ExampleFitWeibull() {
	w, err := failure.FitWeibull([]float64{410, 560, 700, 780, 850, 910}, []float64{300, 650, 900, 900})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("shape %.1f: they wear out; 10 %% have failed by day %.0f\n", w.Shape, w.Quantile(0.1))
	fmt.Printf("within 30 days at 900: %.0f %%, at 300: %.1f %%\n", 100*w.FailWithin(900, 30), 100*w.FailWithin(300, 30))
	// Output:
	// shape 4.6: they wear out; 10 % have failed by day 532
	// within 30 days at 900: 18 %, at 300: 0.4 %
}

// A system was repaired on these days. Does it get worse, and when is the next failure?
func ExampleRepairable_CrowAMSAA() {
	r := failure.Repairable{Times: []float64{90, 160, 210, 250, 280, 300, 315}, End: 320}
	trend, err := r.Laplace()
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := r.CrowAMSAA()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("more often by chance alone: %.3f\n", trend.PIncreasing)
	fmt.Printf("beta %.1f, one failure in %.0f days now; within a week: %.0f %%\n", g.Beta, g.MTBF, 100*g.FailWithin(7))
	// Output:
	// more often by chance alone: 0.024
	// beta 2.5, one failure in 19 days now; within a week: 32 %
}
