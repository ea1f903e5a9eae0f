package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// TestEveryTableHasALetterOfItsOwn: two tables with one letter would overwrite
// each other, and one that is not listed would not be made.
func TestEveryTableHasALetterOfItsOwn(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "keys.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	letters, n := map[string]string{}, 0
	ast.Inspect(f, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "table") {
			return true
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		if other := letters[lit.Value]; other != "" {
			t.Errorf("%s and %s are both %s", other, spec.Names[0].Name, lit.Value)
		}
		letters[lit.Value] = spec.Names[0].Name
		if n++; strings.IndexByte(string(allTables), lit.Value[1]) < 0 {
			t.Errorf("%s is not listed in allTables", spec.Names[0].Name)
		}
		return true
	})
	if n != len(allTables) {
		t.Errorf("%d tables are named, %d listed", n, len(allTables))
	}
}
