package target

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-delve/delve/pkg/proc"
)

// Name is something that can be written in an expression.
type Name struct {
	Name, Type string
}

// nameConfig reads a value's own fields, nothing behind them.
var nameConfig = proc.LoadConfig{FollowPointers: true, MaxVariableRecurse: 1, MaxStructFields: -1}

// Locals returns the variables that a frame of a goroutine sees: arguments and
// local ones, innermost scope first, then those of its package.
func (t *Target) Locals(goroutine int64, frame int) (local, pkg []Name, err error) {
	fn, err := t.dbg.Function(goroutine, frame, 0)
	if err != nil || fn == nil {
		return nil, nil, fmt.Errorf("there is no function in frame %d of goroutine %d: %w", frame, goroutine, err)
	}
	vars, err := t.dbg.LocalVariables(goroutine, frame, 0, wordConfig)
	if err != nil {
		return nil, nil, err
	}
	args, err := t.dbg.FunctionArguments(goroutine, frame, 0, wordConfig)
	if err != nil {
		return nil, nil, err
	}
	for _, v := range append(vars, args...) {
		if v.Flags&proc.VariableShadowed == 0 && v.Name != "" && v.Name[0] != '~' && v.Name[0] != '.' {
			local = append(local, nameOf(v))
		}
	}
	pkg, err = t.Package(fn.PackageName())
	return local, pkg, err
}

func nameOf(v *proc.Variable) Name {
	n := Name{Name: v.Name}
	if v.DwarfType != nil {
		n.Type = v.DwarfType.String()
	}
	return n
}

// Package returns the variables of a package, which is named by its import
// path or the last part of it.
func (t *Target) Package(path string) ([]Name, error) {
	vars, err := t.dbg.PackageVariables(`^([^()]*/)?`+regexp.QuoteMeta(path)+`\.[^./]+$`, wordConfig)
	if err != nil {
		return nil, fmt.Errorf("list the variables of package %s: %w", path, err)
	}
	out := make([]Name, 0, len(vars))
	for _, v := range vars {
		n := nameOf(v)
		n.Name = n.Name[strings.LastIndexByte(n.Name, '.')+1:]
		if !strings.HasPrefix(n.Name, "_") && !strings.Contains(n.Name, "..") {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b Name) int { return strings.Compare(a.Name, b.Name) })
	return slices.Compact(out), nil
}

// Globals returns the package variables that a frame of a goroutine sees, and
// the quoted path of their package.
func (t *Target) Globals(goroutine int64, frame int) (pkg string, list []Name, err error) {
	fn, err := t.dbg.Function(goroutine, frame, 0)
	if err != nil || fn == nil {
		return "", nil, fmt.Errorf("there is no function in frame %d of goroutine %d: %w", frame, goroutine, err)
	}
	list, err = t.Package(fn.PackageName())
	return strconv.Quote(fn.PackageName()), list, err
}

// Fields returns the fields of what an expression stands for in a frame of a
// goroutine; pointers are followed.
func (t *Target) Fields(goroutine int64, frame int, expr string) ([]Name, error) {
	v, err := t.dbg.EvalVariableInScope(goroutine, frame, 0, expr, nameConfig)
	if err != nil {
		return nil, err
	}
	for range 2 { // an interface that holds a pointer
		if (v.Kind == reflect.Pointer || v.Kind == reflect.Interface) && len(v.Children) > 0 {
			v = &v.Children[0]
		}
	}
	if v.Kind != reflect.Struct {
		return nil, nil
	}
	out := make([]Name, 0, len(v.Children))
	for i := range v.Children {
		out = append(out, nameOf(&v.Children[i]))
	}
	return out, nil
}
