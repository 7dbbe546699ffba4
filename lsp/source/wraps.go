package source

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// function is a declaration or a literal.
type function struct {
	name     string // as the runtime writes it behind the package's path: (*T).Method; "" for a literal
	from, to int    // lines
	variadic string // name of the last parameter if it is a variadic one
	helper   bool   // it calls Helper of a test
	messages []string
}

// passing is a call and what it hands on.
type passing struct {
	line    int      // of its parenthesis
	names   []string // variables, also those of which a part is handed on
	rest    string   // variable in front of ...
	message bool     // it says something of its own
}

// newFunction describes a function. messages are the parameters that may be
// what is to be logged, and what is made of them.
func (p *pass) newFunction(name string, n ast.Node, typ *ast.FuncType, body *ast.BlockStmt) function {
	f := function{name: name, from: p.line(n.Pos()), to: p.line(n.End())}
	for i, field := range typ.Params.List {
		elem := field.Type
		if ellipsis, ok := elem.(*ast.Ellipsis); ok {
			if i == len(typ.Params.List)-1 && len(field.Names) == 1 {
				f.variadic = field.Names[0].Name
			}
			elem = ellipsis.Elt
		}
		for _, id := range field.Names {
			if isMessage(elem) {
				f.messages = append(f.messages, id.Name)
			}
		}
	}
	if body == nil {
		return f
	}
	for _, stmt := range body.List {
		switch stmt := stmt.(type) {
		case *ast.ExprStmt:
			f.helper = f.helper || isHelper(stmt.X)
		case *ast.AssignStmt: // msg := fmt.Sprintf(format, args...)
			id, ok := stmt.Lhs[0].(*ast.Ident)
			if call, isCall := stmt.Rhs[0].(*ast.CallExpr); ok && isCall && len(stmt.Lhs) == 1 && f.wraps(p.passing(call)) {
				f.messages = append(f.messages, id.Name)
			}
		}
	}
	return f
}

// isMessage reports the types of what is logged: texts, values, and the records
// of logging packages.
func isMessage(typ ast.Expr) bool {
	switch t := typ.(type) {
	case *ast.Ident:
		return t.Name == "string" || t.Name == "error" || t.Name == "any"
	case *ast.ArrayType:
		elem, ok := t.Elt.(*ast.Ident)
		return ok && (elem.Name == "byte" || isMessage(elem))
	case *ast.InterfaceType:
		return len(t.Methods.List) == 0
	case *ast.StarExpr:
		return isMessage(t.X)
	case *ast.SelectorExpr:
		return t.Sel.Name == "Record" || t.Sel.Name == "Entry" || t.Sel.Name == "Event"
	}
	return false
}

// isHelper reports t.Helper().
func isHelper(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) > 0 {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Helper"
}

// passing describes a call.
func (p *pass) passing(call *ast.CallExpr) passing {
	c := passing{line: p.line(call.Lparen)}
	for _, arg := range call.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			c.message = c.message || ok && lit.Kind == token.STRING && saysSomething(lit.Value)
			switch n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.CallExpr:
				return n == arg // deeper ones are not what is said, and looked at on their own
			}
			return true
		})
		if name := variable(arg); name != "" {
			c.names = append(c.names, name)
		}
	}
	if call.Ellipsis.IsValid() && len(call.Args) > 0 {
		c.rest = variable(call.Args[len(call.Args)-1])
	}
	return c
}

// variable returns the name of the variable that an expression is, or is a part
// of: r in r.Message, p in p[:n], p in string(p). "" for anything else.
func variable(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x.Name
		case *ast.SelectorExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.CallExpr:
			if id, ok := x.Fun.(*ast.Ident); !ok || id.Name != "string" || len(x.Args) != 1 {
				return ""
			}
			e = x.Args[0]
		default:
			return ""
		}
	}
}

// saysSomething reports literals with a letter or digit that is not of a verb
// of package fmt.
func saysSomething(literal string) bool {
	s, err := strconv.Unquote(literal)
	if err != nil {
		return true
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '%' {
			for i++; i < len(s) && strings.IndexByte("+-# 0123456789.*[]", s[i]) >= 0; i++ {
			}
			continue
		}
		if s[i] >= 0x80 || unicode.IsLetter(rune(s[i])) || unicode.IsDigit(rune(s[i])) {
			return true
		}
	}
	return false
}

// wraps reports whether a call of the function logs for its caller: it hands on
// the arguments that it was given, or a message with nothing of its own.
func (f *function) wraps(c passing) bool {
	if c.rest != "" && c.rest == f.variadic {
		return true
	}
	return !c.message && slices.ContainsFunc(c.names, func(name string) bool { return slices.Contains(f.messages, name) })
}

// Wraps reports whether the innermost function around a line is one that logs
// for its caller: it hands its message on there, or it is a test's helper.
func (f *File) Wraps(line int) bool {
	var inner *function
	for i := range f.funcs {
		fn := &f.funcs[i]
		if line >= fn.from && line <= fn.to && (inner == nil || fn.to-fn.from <= inner.to-inner.from) {
			inner = fn
		}
	}
	if inner == nil {
		return false
	}
	return inner.helper || slices.ContainsFunc(f.passes[line], inner.wraps)
}
