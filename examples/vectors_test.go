package examples_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

func TestVectors(t *testing.T) {
	t.Run("contrast", func(t *testing.T) {
		testutil.OpenVectors(t, "examples", "contrast.json").Run(t, testutil.Kinds{"contrast": checkContrast})
	})
	t.Run("programs", func(t *testing.T) {
		f := testutil.OpenVectors(t, "examples", "programs.json")
		bin, names := programs(t)
		r := runner{t: t, bin: bin}
		f.Fixture("sets", &r.sets)
		kinds := testutil.Kinds{}
		for _, name := range names {
			kinds[name] = r.check
		}
		f.Run(t, kinds)
	})
}

func checkContrast(c testutil.Case) error {
	var in struct {
		Color  string
		Light  float64 `json:"on_light"`
		Dark   float64 `json:"on_dark"`
		Expect struct {
			TextLight    bool   `json:"text_light"`
			TextDark     bool   `json:"text_dark"`
			GraphicLight bool   `json:"graphic_light"`
			GraphicDark  bool   `json:"graphic_dark"`
			ButtonText   string `json:"button_text"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	color, err := report.ParseColor(in.Color)
	if err != nil {
		return err
	}
	light, dark := report.Contrast(color, report.LightBackground), report.Contrast(color, report.DarkBackground)
	if math.Abs(light-in.Light) > 1e-3 || math.Abs(dark-in.Dark) > 1e-3 {
		return fmt.Errorf("contrast %v and %v, want %v and %v", light, dark, in.Light, in.Dark)
	}
	got := in.Expect
	got.TextLight, got.TextDark = light >= report.TextContrast, dark >= report.TextContrast
	got.GraphicLight, got.GraphicDark = light >= report.GraphicContrast, dark >= report.GraphicContrast
	got.ButtonText = color.On().String()
	if got != in.Expect {
		return fmt.Errorf("%+v, want %+v", got, in.Expect)
	}
	return nil
}
