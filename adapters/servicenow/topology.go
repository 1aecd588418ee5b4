package servicenow

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Direction says which end of a relation depends on the other.
type Direction bool

// The directions.
const (
	ParentDepends Direction = false
	ChildDepends  Direction = true
)

// DefaultRelations are types of cmdb_rel_type as delivered, "what the parent
// does::what the child does". Those that say nothing of dependence, such as
// "Exchanges data with::Exchanges data with", are not there.
func DefaultRelations() map[string]Direction {
	return map[string]Direction{
		"Depends on::Used by":                              ParentDepends,
		"Runs on::Runs":                                    ParentDepends,
		"Hosted on::Hosts":                                 ParentDepends,
		"Uses::Used by":                                    ParentDepends,
		"Virtualized by::Virtualizes":                      ParentDepends,
		"Instantiates::Instantiated by":                    ParentDepends,
		"Consumes::Consumed by":                            ParentDepends,
		"Powered by::Powers":                               ParentDepends,
		"Contains::Contained by":                           ChildDepends,
		"Provides::Provided by":                            ChildDepends,
		"Sends data to::Receives data from":                ChildDepends,
		"DR provided by::Provides DR for":                  ParentDepends,
		"Provides storage for::Stored on":                  ChildDepends,
		"Authentication by::Authenticates to":              ParentDepends,
		"Managed by::Manages":                              ParentDepends,
		"Connects to::Connected by":                        ParentDepends,
		"Implement End Point To::Implement End Point From": ParentDepends,
	}
}

// Edges lists the relations of cmdb_rel_ci whose types are in Config.Relations, as
// dependencies, by sys_id. Items are named by Config.EntityColumn, or by their
// sys_id where that is empty.
func (c *Client) Edges(ctx context.Context) iter.Seq2[adapters.Edge, error] {
	r := request{op: "edges"}
	name := c.config.EntityColumn
	columns := []string{"parent", "child", "type.name", "parent." + name, "child." + name}
	return func(yield func(adapters.Edge, error) bool) {
		if len(c.config.Relations) == 0 {
			return
		}
		// What else is on the URL stays below 600 bytes.
		parts, err := Where("type.name", OneOf, slices.Sorted(maps.Keys(c.config.Relations))...).Split(maxURL - 600 - len(c.base.String()))
		if err != nil {
			yield(adapters.Edge{}, c.fail(r, adapters.Invalid, err))
			return
		}
		for _, q := range parts {
			for row, err := range c.walk(ctx, r, "cmdb_rel_ci", q, columns, "", place{}) {
				direction, known := c.config.Relations[row["type.name"]]
				if err == nil && !known {
					err = c.fail(r, adapters.BadResponse, errors.New("the instance ignored that types of relations were asked for"))
				}
				if err != nil {
					yield(adapters.Edge{}, err)
					return
				}
				edge := adapters.Edge{
					Dependent: cmp.Or(row["parent."+name], row["parent"]), Dependency: cmp.Or(row["child."+name], row["child"]), Type: row["type.name"],
				}
				if direction == ChildDepends {
					edge.Dependent, edge.Dependency = edge.Dependency, edge.Dependent
				}
				if !yield(edge, nil) {
					return
				}
			}
		}
	}
}
