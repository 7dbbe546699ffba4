package target

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/go-delve/delve/pkg/proc"
	"github.com/go-delve/delve/service/api"
)

// Expressions may name machines:
//
//	@server count          the package variable count of machine server
//	@* raft.state          that of every machine
//	count(@* role == Leader) > 1
//	any(@* full)  all(@* synced)
//
// Behind an @ only package variables count: the local variables of a frame
// belong to one machine. A machine that is off is left out of count, any and
// all.

// Label is a machine's name.
type Label struct {
	ID   uint32
	Name string
}

// Scope says where an expression is evaluated.
type Scope struct {
	Goroutine int64 // -1 is the one that is stopped
	Frame     int
	Labels    []Label // all machines of the run
}

// allMachines is the label that stands for every machine.
const allMachines = "*"

// SplitMachine takes "@label" off the front of an expression. ok is false for
// an expression that begins with none.
func SplitMachine(expr string) (label, rest string, ok bool) {
	expr = strings.TrimSpace(expr)
	if !strings.HasPrefix(expr, "@") {
		return "", expr, false
	}
	label, rest, _ = strings.Cut(expr[1:], " ")
	return label, strings.TrimSpace(rest), true
}

// HasMachine reports whether an expression names machines.
func HasMachine(expr string) bool {
	found := false
	outsideQuotes(expr, func(i int) { found = found || expr[i] == '@' })
	return found
}

// outsideQuotes calls f with the index of each byte that is not in a string or
// character literal.
func outsideQuotes(expr string, f func(i int)) {
	quote := byte(0)
	for i := 0; i < len(expr); i++ {
		switch c := expr[i]; {
		case quote == 0 && (c == '"' || c == '\'' || c == '`'):
			quote = c
		case quote == 0:
			f(i)
		case c == '\\' && quote != '`':
			i++
		case c == quote:
			quote = 0
		}
	}
}

// aggregate is one count(@* x) in an expression.
type aggregate struct {
	name       string // count, any or all
	start, end int
	inner      string // what is evaluated on each machine
}

// findAggregate returns the first aggregate of an expression, nil when there
// is none.
func findAggregate(expr string) (*aggregate, error) {
	var found *aggregate
	depth, open := 0, -1
	outsideQuotes(expr, func(i int) {
		switch {
		case found != nil && open < 0: // complete
		case open >= 0 && expr[i] == '(':
			depth++
		case open >= 0 && expr[i] == ')':
			if depth--; depth == 0 {
				found.end, found.inner, open = i+1, expr[open+1:i], -1
			}
		case open < 0 && expr[i] == '(':
			for _, name := range []string{"count", "any", "all"} {
				before, ok := strings.CutSuffix(strings.TrimRight(expr[:i], " "), name)
				if ok && !endsInName(before) && strings.HasPrefix(strings.TrimSpace(expr[i+1:]), "@"+allMachines) {
					found, open, depth = &aggregate{name: name, start: len(before)}, i, 1
				}
			}
		}
	})
	if open >= 0 {
		return nil, fmt.Errorf("%s( is not closed", found.name)
	}
	return found, nil
}

func endsInName(s string) bool {
	if s == "" {
		return false
	}
	c := s[len(s)-1]
	return c == '_' || c == '.' || c >= 0x80 || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// Expand replaces every count(@* x), any and all in an expression by its value.
func (t *Target) Expand(s Scope, expr string) (string, error) {
	for range 100 {
		a, err := findAggregate(expr)
		if err != nil || a == nil {
			return expr, err
		}
		_, inner, _ := SplitMachine(a.inner)
		values, err := t.everywhere(s, inner)
		if err != nil {
			return "", err
		}
		n, yes := 0, 0
		for _, v := range values {
			if v.Off {
				continue
			}
			if v.Err != nil {
				return "", fmt.Errorf("on machine %s: %w", v.Machine, v.Err)
			}
			if v.Type != "bool" && v.Type != "untyped bool" && v.Value.Value != "true" && v.Value.Value != "false" {
				return "", fmt.Errorf("%s(@* %s): it is no condition but of type %s", a.name, inner, v.Type)
			}
			if n++; v.Value.Value == "true" {
				yes++
			}
		}
		text := strconv.Itoa(yes)
		switch a.name {
		case "any":
			text = strconv.FormatBool(yes > 0)
		case "all":
			text = strconv.FormatBool(yes == n)
		}
		expr = expr[:a.start] + text + expr[a.end:]
	}
	return "", errors.New("more than 100 conditions over all machines")
}

// MachineValue is what an expression is on one machine.
type MachineValue struct {
	Label
	Machine string // its label
	Value
	Off bool  // the machine is off; there is no value
	Err error // nor is there one
}

// EvalMachines evaluates an expression that may name machines. The list has
// one element, without a label, unless it begins with an @: then it has one for
// each machine that is meant, by id.
func (t *Target) EvalMachines(s Scope, expr string) ([]MachineValue, error) {
	label, rest, scoped := SplitMachine(expr)
	if scoped && rest == "" {
		return nil, fmt.Errorf("which expression? write it behind @%s", label)
	}
	if scoped && label == allMachines {
		return t.everywhere(s, rest)
	}
	if !scoped {
		rest, err := t.Expand(s, expr)
		if err != nil {
			return nil, err
		}
		v, err := t.evalIn(s, 0, rest)
		return []MachineValue{{Value: v}}, err
	}
	l, err := s.Find(label)
	if err != nil {
		return nil, err
	}
	if rest, err = t.Qualify(s, rest); err != nil {
		return nil, err
	}
	v, err := t.evalIn(s, l.ID, rest)
	return []MachineValue{{Label: l, Machine: l.Name, Value: v}}, err
}

// Find returns the machine with a label. Labels of the run name machines that
// may not be there yet.
func (s *Scope) Find(label string) (Label, error) {
	for _, l := range s.Labels {
		if l.Name == label {
			return l, nil
		}
	}
	names := make([]string, 0, len(s.Labels))
	for _, l := range s.Labels {
		names = append(names, l.Name)
	}
	return Label{}, fmt.Errorf("there is no machine %q in this run; there are %s", label, strings.Join(names, ", "))
}

// everywhere evaluates an expression on every machine that exists.
func (t *Target) everywhere(s Scope, expr string) ([]MachineValue, error) {
	expr, err := t.Qualify(s, expr)
	if err != nil {
		return nil, err
	}
	list, err := t.MachineList()
	if err != nil {
		return nil, err
	}
	out := make([]MachineValue, 0, len(list))
	for _, m := range list {
		if m.LogID == 0 && m.Pid == 0 {
			continue // it was removed
		}
		l := Label{m.ID, fmt.Sprintf("machine-%d", m.ID)}
		if i := slices.IndexFunc(s.Labels, func(l Label) bool { return l.ID == m.ID }); i >= 0 {
			l = s.Labels[i]
		} else if m.Pid != 0 {
			if i := slices.IndexFunc(s.Labels, func(l Label) bool { return l.ID == m.Host }); i >= 0 {
				l.Name = fmt.Sprintf("%s[%d]", s.Labels[i].Name, m.Pid)
			}
		}
		v := MachineValue{Label: l, Machine: l.Name, Off: !m.Alive || m.image == 0}
		if !v.Off {
			v.Value, v.Err = t.evalIn(s, m.ID, expr)
		}
		out = append(out, v)
	}
	return out, nil
}

func (t *Target) evalIn(s Scope, machine uint32, expr string) (v Value, err error) {
	err = t.In(machine, false, func() error {
		v, err = t.evalAt(s, expr)
		return err
	})
	return v, err
}

// evalAt evaluates one of Delve's expressions.
func (t *Target) evalAt(s Scope, expr string) (Value, error) {
	v, err := t.dbg.EvalVariableInScope(s.Goroutine, s.Frame, 0, expr, loadConfig)
	if err != nil {
		return Value{}, err
	}
	if v.Unreadable != nil {
		return Value{}, fmt.Errorf("%s cannot be read: %w", expr, v.Unreadable)
	}
	a := api.ConvertVar(v)
	return Value{Type: a.Type, Value: a.StringWithOptions("", "", api.PrettyNewlines)}, nil
}

// Qualify names the package variables of an expression in full, so that it
// means the same on every machine. A local variable of the frame is an error.
func (t *Target) Qualify(s Scope, expr string) (string, error) {
	if expr == "" {
		return "", errors.New("which expression? write it behind the @")
	}
	tree, err := parser.ParseExpr(expr)
	if err != nil {
		return "", fmt.Errorf("%s: %w", expr, err)
	}
	fn, err := t.dbg.Function(s.Goroutine, s.Frame, 0)
	if err != nil || fn == nil {
		return expr, nil // no code: names have to be full anyway
	}
	pkg := fn.PackageName()
	locals, err := t.frameNames(s)
	if err != nil {
		return "", err
	}
	type edit struct{ from, to token.Pos }
	var edits []edit
	var wrong error
	for _, id := range freeNames(tree) {
		switch {
		case t.hasGlobal(pkg, id.Name):
			edits = append(edits, edit{id.Pos(), id.End()})
		case locals[id.Name] && wrong == nil:
			wrong = fmt.Errorf("%s is a local variable of this frame; behind @ only package variables have a meaning", id.Name)
		}
	}
	if wrong != nil {
		return "", wrong
	}
	slices.SortFunc(edits, func(a, b edit) int { return int(b.from - a.from) })
	for _, e := range edits {
		expr = expr[:e.from-1] + strconv.Quote(pkg) + "." + expr[e.from-1:]
	}
	return expr, nil
}

// frameNames are the local names of a frame.
func (t *Target) frameNames(s Scope) (map[string]bool, error) {
	vars, err := t.dbg.LocalVariables(s.Goroutine, s.Frame, 0, wordConfig)
	if err != nil {
		return nil, err
	}
	args, err := t.dbg.FunctionArguments(s.Goroutine, s.Frame, 0, wordConfig)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, v := range append(vars, args...) {
		names[v.Name] = true
	}
	return names, nil
}

// hasGlobal reports whether a package has a variable or constant of a name.
func (t *Target) hasGlobal(pkg, name string) bool {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	scope, err := proc.ThreadScope(grp.Selected, grp.Selected.CurrentThread())
	if err != nil {
		return false
	}
	_, err = scope.EvalExpression(strconv.Quote(pkg)+"."+name, wordConfig)
	return err == nil
}

// freeNames are the identifiers of an expression that are looked up on their
// own: no fields, no names behind a package.
func freeNames(tree ast.Expr) []*ast.Ident {
	var out []*ast.Ident
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			out = append(out, freeNames(n.X)...)
			return false
		case *ast.KeyValueExpr:
			out = append(out, freeNames(n.Value)...)
			return false
		case *ast.Ident:
			out = append(out, n)
		}
		return true
	})
	return out
}
