package anomaly_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly"
)

// What the recipe is known for, and that Default does not have it. The figures of the recipe
// are those of the article's table; other weaknesses have tests of their own: false alarms
// (TestFalseAlarmRate), outages (TestOutages), flat features (TestFlatFeatures), large offsets
// (TestLargeOffset), names and order (TestEvaluateErrors, TestDefaultLaws), advice (TestAdvice).
func TestWeaknessesOfTheRecipe(t *testing.T) {
	h := seedTable(t)
	recipe, err := anomaly.Fit("user_api", h, &anomaly.Options{Preset: anomaly.Compat})
	if err != nil {
		t.Fatal(err)
	}
	d, err := anomaly.Fit("user_api", h, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := d.Baselines()
	// A single feature at z deviations, the others at their means.
	at := func(j int, z float64) map[string]float64 {
		r := map[string]float64{}
		for i := range b {
			r[b[i].Feature] = b[i].Mean
		}
		r[b[j].Feature] += z * b[j].SD
		return r
	}
	// fires finds the first of 0.5 to 30 deviations that alarms, +Inf for none.
	fires := func(d *anomaly.Detector, j int, sign float64) float64 {
		for z := 0.5; z <= 30; z += 0.5 {
			if v := evaluate(t, d, at(j, sign*z)); v.State == anomaly.Anomaly {
				return z
			}
		}
		return math.Inf(1)
	}
	never := math.Inf(1)
	for _, c := range []struct {
		j            int
		sign         float64
		recipe, most float64 // deviations: of the recipe, at most of Default
	}{
		{0, 1, never, 4}, {0, -1, 3, 4}, // cpu
		{1, 1, never, 4}, {1, -1, never, 4}, // memory
		{2, 1, 4, 4}, {2, -1, never, never}, // latency, of which low values harm nobody
		{3, 1, 3.5, 8}, {3, -1, never, never}, // an exponential error rate
		{4, 1, never, 4}, {4, -1, never, 4}, // throughput
	} {
		if got := fires(recipe, c.j, c.sign); got != c.recipe {
			t.Errorf("recipe: %s at %+v sd fires from %v on, want %v", seedNames[c.j], c.sign, got, c.recipe)
		}
		if got := fires(d, c.j, c.sign); got > c.most {
			t.Errorf("default: %s at %+v sd fires from %v on, want at most %v", seedNames[c.j], c.sign, got, c.most)
		}
	}

	// The confidence of the recipe is the same for a usual reading as for half an outage; the
	// percentile of its smallest value is a bucket.
	usual := evaluate(t, recipe, reading(48, 58, 145, 0.3, 1050))
	if math.Abs(usual.Confidence-0.1335281965686188) > 1e-12 {
		t.Errorf("confidence of the recipe = %v", usual.Confidence)
	}
	if v := evaluate(t, d, reading(48, 58, 145, 0.3, 1050)); v.Confidence > 0.9 {
		t.Errorf("confidence of a usual reading = %v", v.Confidence)
	}
	if v := evaluate(t, d, reading(45, 60, 150, 0.3, 0)); v.Confidence < 0.999 {
		t.Errorf("confidence of an outage = %v", v.Confidence)
	}
	low := evaluate(t, recipe, reading(45, 60, 150, 0.3, 0))
	i := slices.IndexFunc(low.Compat.Deviations, func(x anomaly.Deviation) bool { return x.Feature == "throughput_rps" })
	if low.Compat.Deviations[i].Bucket != "bottom_quartile" || low.State != anomaly.Normal {
		t.Errorf("recipe: throughput 0 is %+v", low.Compat.Deviations[i])
	}

	// Both deviations have a name.
	for j := range b {
		population := recipe.Scaling()[j].Scale
		if got := b[j].PopulationSD(); math.Abs(got-population) > 1e-12*population || math.Abs(b[j].SD/got-math.Sqrt(1000./999)) > 1e-12 {
			t.Errorf("%s: deviations %v and %v, want %v and more by sqrt(1000/999)", b[j].Feature, got, b[j].SD, population)
		}
	}
}

// The index of n clean readings against N is about 9 (1/n + 1/N): the mean of chi-square with
// nine degrees of freedom, which is why drift needs more than the index.
func TestIndexOfCleanReadings(t *testing.T) {
	d := healthy(t, nil)
	r := rand.New(rand.NewPCG(71, 71))
	sum, count := 0.0, 0
	for range 30 {
		x, err := d.Drift(anomaly.History{Names: seedNames, Rows: drawHealthy(r, 200)})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range x.Features {
			sum += s.PSI
			count++
		}
	}
	if got, want := sum/float64(count), 9*(1./200+1./1000); got < 0.8*want || got > 1.3*want {
		t.Errorf("mean index of 200 clean readings = %.4f, want about %.4f", got, want)
	}
}
