package sla_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// No float takes part in a decision: there is none in the packages, not even for
// display.
func TestNoFloats(t *testing.T) {
	for _, dir := range []string{".", "money", "calendar"} {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range floatsIn(files, file) {
				t.Error(found)
			}
			read++
		}
		if read == 0 {
			t.Errorf("no sources in %s", dir)
		}
	}
}

// The search finds what it is there to find.
func TestFloatsIn(t *testing.T) {
	for _, c := range []struct{ name, code, want string }{
		{"type", "var x float64", "float64"},
		{"short type", "func f(x float32) {}", "float32"},
		{"complex numbers are two floats", "var x complex128", "complex128"},
		{"literal", "var x = 0.5", "0.5"},
		{"literal with an exponent", "var x = 1e9", "1e9"},
		{"function of math", "var x = math.Round(y)", "math.Round"},
		{"infinity", "var x = math.Inf(1)", "math.Inf"},
		{"constant with a fraction", "var x = math.Pi", "math.Pi"},
		{"big float", "var x big.Float", "big.Float"},
		{"rational as a float", "var x, _ = r.Float64()", ".Float64"},
		{"duration as a float", "var x = d.Hours()", ".Hours"},
		{"text as a float", "var x, _ = strconv.ParseFloat(s, 64)", "strconv.ParseFloat"},
		{"random float", "var x = rand.Float64()", ".Float64"},
		{"none", "var x = int64(math.MaxInt64) + int64(d/time.Second)", ""},
		{"field of that name", "var x = c.Hours", ""},
		{"function of another package", "var x = hours.Minutes", ""},
	} {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "code.go", "package p\n"+c.code, 0)
		if err != nil {
			t.Fatal(err)
		}
		found := strings.Join(floatsIn(files, file), "\n")
		if (c.want == "") != (found == "") || !strings.Contains(found, c.want) {
			t.Errorf("%s: found %q, want %q", c.name, found, c.want)
		}
	}
}

// floatsIn lists the floats of a file by what it names: types, literals, and
// functions that take or return them.
func floatsIn(files *token.FileSet, file *ast.File) (found []string) {
	add := func(n ast.Node, what string) {
		found = append(found, fmt.Sprintf("%s: %s", files.Position(n.Pos()), what))
	}
	whole := []string{"MaxInt", "MinInt", "MaxInt64", "MinInt64", "MaxUint64", "MaxInt32", "MaxUint32"}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if slices.Contains([]string{"float64", "float32", "complex64", "complex128"}, n.Name) {
				add(n, n.Name)
			}
		case *ast.BasicLit:
			if n.Kind == token.FLOAT || n.Kind == token.IMAG {
				add(n, n.Value)
			}
		case *ast.ImportSpec:
			if path, _ := strconv.Unquote(n.Path.Value); path == "math/cmplx" {
				add(n, path)
			}
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Seconds", "Minutes", "Hours"}, s.Sel.Name) {
				add(n, "."+s.Sel.Name)
			}
		case *ast.SelectorExpr:
			of, _ := n.X.(*ast.Ident)
			switch {
			case of != nil && of.Name == "math" && !slices.Contains(whole, n.Sel.Name):
				add(n, "math."+n.Sel.Name)
			case of != nil && (of.Name == "big" || of.Name == "strconv") && strings.Contains(n.Sel.Name, "Float"):
				add(n, of.Name+"."+n.Sel.Name)
			case n.Sel.Name == "Float64" || n.Sel.Name == "Float32" || n.Sel.Name == "NormFloat64" || n.Sel.Name == "ExpFloat64":
				add(n, "."+n.Sel.Name)
			}
		}
		return true
	})
	return found
}
