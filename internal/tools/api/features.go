package main

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// features returns what a program may rely on in a package, a sorted line for each. A
// package that has all of them still, and more, compiles with every program that used it,
// but for names that are embedded or dot-imported and literals without keys:
//
//   - a constant with its value, a variable and a function with its type;
//   - a type with its kind, its fields and its methods, those that are promoted included;
//   - whether == is defined for a struct; all methods of an interface in one line, as one
//     more is missed by its implementations, if others can implement it.
func features(pkg *types.Package, module string) []string {
	f := &feature{pkg: pkg, module: module}
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		if obj := scope.Lookup(name); obj.Exported() {
			f.object(obj)
		}
	}
	slices.Sort(f.lines)
	return slices.Compact(f.lines)
}

type feature struct {
	pkg    *types.Package
	module string
	lines  []string
}

func (f *feature) add(format string, args ...any) {
	f.lines = append(f.lines, fmt.Sprintf(format, args...))
}

func (f *feature) object(obj types.Object) {
	switch obj := obj.(type) {
	case *types.Const:
		f.add("const %s %s = %s", obj.Name(), f.text(obj.Type()), obj.Val().ExactString())
	case *types.Var:
		f.add("var %s %s", obj.Name(), f.text(obj.Type()))
	case *types.Func:
		f.add("func %s%s", obj.Name(), f.signature(obj.Signature()))
	case *types.TypeName:
		f.typeName(obj)
	}
}

func (f *feature) typeName(obj *types.TypeName) {
	if obj.IsAlias() {
		f.add("type %s = %s", obj.Name(), f.text(types.Unalias(obj.Type())))
		return
	}
	named := obj.Type().(*types.Named)
	name := obj.Name() + f.parameters(named.TypeParams())
	switch under := named.Underlying().(type) {
	case *types.Struct:
		f.add("type %s struct", name)
		if types.Comparable(under) {
			f.add("type %s struct, comparable", name)
		}
		f.fields(name, under)
	case *types.Interface:
		f.methodsOf(name, under)
		return
	default:
		f.add("type %s %s", name, f.text(under))
	}
	f.methods(named, name)
}

// fields adds those of a struct, and those of structs that it embeds under a name that is
// not exported.
func (f *feature) fields(name string, s *types.Struct) {
	for field := range s.Fields() {
		switch {
		case field.Exported() && field.Embedded():
			f.add("type %s struct, embedded %s", name, f.text(field.Type()))
		case field.Exported():
			f.add("type %s struct, %s %s", name, field.Name(), f.text(field.Type()))
		case field.Embedded():
			t := field.Type().Underlying()
			if p, ok := t.(*types.Pointer); ok {
				t = p.Elem().Underlying()
			}
			if embedded, ok := t.(*types.Struct); ok {
				f.fields(name, embedded)
			}
		}
	}
}

// methods adds those of values and of pointers, with what is promoted from embedded
// fields.
func (f *feature) methods(named *types.Named, name string) {
	ofValue := types.NewMethodSet(named)
	for selection := range types.NewMethodSet(types.NewPointer(named)).Methods() {
		method := selection.Obj().(*types.Func)
		if !method.Exported() {
			continue
		}
		receiver := "*" + name
		if ofValue.Lookup(f.pkg, method.Name()) != nil {
			receiver = name
		}
		f.add("method (%s) %s%s", receiver, method.Name(), f.signature(selection.Type().(*types.Signature)))
	}
}

// methodsOf adds the methods and type sets of an interface. One with methods that are not
// exported is implemented by nobody else and may gain more, so each has a line.
func (f *feature) methodsOf(name string, i *types.Interface) {
	var parts []string
	closed := false
	for method := range i.Methods() {
		if method.Exported() {
			parts = append(parts, method.Name()+f.signature(method.Signature()))
		} else {
			closed = true
		}
	}
	for embedded := range i.EmbeddedTypes() {
		if _, ok := embedded.Underlying().(*types.Interface); !ok {
			parts = append(parts, f.text(embedded))
		}
	}
	if closed {
		f.add("type %s interface, methods that are not exported", name)
		for _, part := range parts {
			f.add("type %s interface, %s", name, part)
		}
		return
	}
	slices.Sort(parts)
	f.add("type %s interface { %s }", name, strings.Join(parts, "; "))
}

// signature has no names of parameters, which may change.
func (f *feature) signature(s *types.Signature) string {
	var results []string
	for v := range s.Results().Variables() {
		results = append(results, f.text(v.Type()))
	}
	var parameters []string
	for v := range s.Params().Variables() {
		parameters = append(parameters, f.text(v.Type()))
	}
	if n := len(parameters); s.Variadic() {
		parameters[n-1] = "..." + strings.TrimPrefix(parameters[n-1], "[]")
	}
	text := f.parameters(s.TypeParams()) + "(" + strings.Join(parameters, ", ") + ")"
	switch len(results) {
	case 0:
		return text
	case 1:
		return text + " " + results[0]
	}
	return text + " (" + strings.Join(results, ", ") + ")"
}

// parameters are those of types, with their constraints.
func (f *feature) parameters(list *types.TypeParamList) string {
	if list.Len() == 0 {
		return ""
	}
	var parts []string
	for p := range list.TypeParams() {
		parts = append(parts, p.Obj().Name()+" "+f.text(p.Constraint()))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// text writes a type without the names of parameters; packages of the module are named by
// their folder.
func (f *feature) text(t types.Type) string {
	if s, ok := t.(*types.Signature); ok {
		return "func" + f.signature(s)
	}
	if s, ok := t.(*types.Slice); ok {
		return "[]" + f.text(s.Elem())
	}
	if p, ok := t.(*types.Pointer); ok {
		return "*" + f.text(p.Elem())
	}
	if m, ok := t.(*types.Map); ok {
		return "map[" + f.text(m.Key()) + "]" + f.text(m.Elem())
	}
	return types.TypeString(t, func(p *types.Package) string {
		if p == f.pkg {
			return ""
		}
		return strings.TrimPrefix(p.Path(), f.module+"/")
	})
}
