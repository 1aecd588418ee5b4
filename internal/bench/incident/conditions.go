package main

import (
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/google/cel-go/cel"

	"github.com/evenkeelops/evenkeel/incident/playbook"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// conditions evaluate four comparisons joined by AND. Ours also says unknown where
// a value is missing or old; the peers compare whatever is there.
var conditions = []measure.Pair{
	condition("incident/condition_vs_expr", "expr v1.17.8", withExpr),
	condition("incident/condition_vs_cel", "cel-go v0.26.1", withCEL),
}

// values make all four comparisons true, so that none is left out.
var values = map[string]float64{"cpu_utilization": 90, "error_rate": 7, "idle_connections": 25, "healthy_instances": 3}

// condition pairs ours with the program of a peer, which reads the values from env.
// Both have to answer alike when all values are high and when any is low.
func condition(name, peer string, compile func(env map[string]any) (func() (any, error), error)) measure.Pair {
	return measure.Pair{Name: name, Peer: peer, Bar: 5, NoAllocs: true, Setup: func() (func(), func(), error) {
		v, err := playbook.NewVocabulary(playbook.DefaultFacts()...)
		if err != nil {
			return nil, nil, err
		}
		c, err := playbook.Compile("cpu_utilization > 85% AND error_rate > 5% AND idle_connections > 20 AND healthy_instances > 1", v)
		if err != nil {
			return nil, nil, err
		}
		facts, env := v.NewFacts(), map[string]any{}
		set := func(name string, x float64) error {
			env[name] = x
			return facts.Set(name, playbook.Number(x), noon)
		}
		for name, x := range values {
			if err := set(name, x); err != nil {
				return nil, nil, err
			}
		}
		theirs, err := compile(env)
		if err != nil {
			return nil, nil, err
		}
		agree := func(want bool) error {
			got, err := theirs()
			if ours := c.Eval(facts, noon) == playbook.True; err != nil || ours != want || got != want {
				return fmt.Errorf("%v: %v, with the peer %v, want %v, %w", env, ours, got, want, err)
			}
			return nil
		}
		for name, x := range values {
			if err := set(name, 0); err != nil {
				return nil, nil, err
			}
			if err := agree(false); err != nil {
				return nil, nil, err
			}
			if err := set(name, x); err != nil {
				return nil, nil, err
			}
		}
		return func() {
				if c.Eval(facts, noon) != playbook.True {
					panic("not true")
				}
			}, func() {
				if got, err := theirs(); err != nil || got != true {
					panic("not true")
				}
			}, agree(true)
	}}
}

// withExpr compiles for expr.
func withExpr(env map[string]any) (func() (any, error), error) {
	program, err := expr.Compile("cpu_utilization > 85 && error_rate > 5 && idle_connections > 20 && healthy_instances > 1", expr.Env(env), expr.AsBool())
	return func() (any, error) { return expr.Run(program, env) }, err
}

// withCEL compiles for cel-go.
func withCEL(env map[string]any) (func() (any, error), error) {
	var variables []cel.EnvOption
	for name := range env {
		variables = append(variables, cel.Variable(name, cel.DoubleType))
	}
	e, err := cel.NewEnv(variables...)
	if err != nil {
		return nil, err
	}
	ast, issues := e.Compile("cpu_utilization > 85.0 && error_rate > 5.0 && idle_connections > 20.0 && healthy_instances > 1.0")
	if err := issues.Err(); err != nil {
		return nil, err
	}
	program, err := e.Program(ast, cel.EvalOptions(cel.OptOptimize))
	return func() (any, error) {
		v, _, err := program.Eval(env)
		if err != nil {
			return nil, err
		}
		return v.Value(), nil
	}, err
}
