// The rules about state: nothing at package level may change while the library runs.
package core_test

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// state lists the package-level variables that do hold state, each with the reason why it cannot be elsewhere.
var state = map[string]string{
	"cabi.library": "C functions are global, so what they share is as well; everything else hangs below it",
	"cabi.names":   "strings that C may keep for ever, in C memory; only read after their declaration",
}

func TestNoInitFunctions(t *testing.T) {
	for _, s := range production(t) {
		for _, declaration := range s.file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if ok && function.Recv == nil && function.Name.Name == "init" {
				t.Errorf("%s:%d: func init does work at load time, in every process that loads the library", s.path, s.line(function))
			}
		}
	}
}

// TestPackageVariablesAreConstant allows tables and errors, which nobody writes to after their declaration.
func TestPackageVariablesAreConstant(t *testing.T) {
	for name := range imports {
		files, set := parsePackage(t, name)
		if len(files) == 0 {
			continue
		}
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
		// Imports stay unresolved: their errors are expected, and the package's own names resolve all the same.
		config := types.Config{Error: func(error) {}, Importer: nothing{}, FakeImportC: true}
		scope, _ := config.Check(name, set, files, info)
		for _, file := range files {
			checkDeclarations(t, name, set, file)
			checkWrites(t, name, set, file, info, scope)
		}
	}
}

// nothing is an importer that finds no package.
type nothing struct{}

func (nothing) Import(path string) (*types.Package, error) { return nil, os.ErrNotExist }

// parsePackage parses the files of one package that build on this platform; none when the package is not there.
func parsePackage(t *testing.T, name string) ([]*ast.File, *token.FileSet) {
	t.Helper()
	set := token.NewFileSet()
	listed, err := build.ImportDir(name, 0)
	if err != nil {
		return nil, set // TestImportLaw says which package is missing.
	}
	var files []*ast.File
	for _, base := range append(listed.GoFiles, listed.CgoFiles...) {
		file, err := parser.ParseFile(set, filepath.Join(name, base), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files, set
}

// checkDeclarations refuses variables that only make sense when something is written to them later.
func checkDeclarations(t *testing.T, name string, set *token.FileSet, file *ast.File) {
	t.Helper()
	for _, declaration := range file.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok || general.Tok != token.VAR {
			continue
		}
		for _, spec := range general.Specs {
			values := spec.(*ast.ValueSpec)
			for i, variable := range values.Names {
				if variable.Name == "_" || state[name+"."+variable.Name] != "" || isEmbedded(general, values) {
					continue
				}
				if i >= len(values.Values) || !isConstant(values.Values[i]) {
					t.Errorf("%s: package variable %s is not a table, an error or an embedded file: keep state in a value that "+
						"someone owns, or name it in the list `state` with a reason", set.Position(variable.Pos()), variable.Name)
				}
			}
		}
	}
}

func isEmbedded(general *ast.GenDecl, values *ast.ValueSpec) bool {
	for _, group := range []*ast.CommentGroup{general.Doc, values.Doc} {
		if group == nil {
			continue
		}
		for _, comment := range group.List {
			if len(comment.Text) > 10 && comment.Text[:10] == "//go:embed" {
				return true
			}
		}
	}
	return false
}

// isConstant accepts literals, and calls to the few functions whose results nobody can change.
func isConstant(value ast.Expr) bool {
	switch value := value.(type) {
	case *ast.BasicLit, *ast.BinaryExpr:
		return true
	case *ast.CompositeLit:
		from, _, _ := strings.Cut(types.ExprString(value.Type), ".")
		return from != "sync" && from != "atomic" // locks, pools and counters are there to change
	case *ast.CallExpr:
		switch types.ExprString(value.Fun) {
		case "errors.New", "regexp.MustCompile", "strings.NewReplacer", "[]byte", "reflect.TypeFor", "len":
			return true
		}
		if index, ok := value.Fun.(*ast.IndexExpr); ok {
			return types.ExprString(index.X) == "reflect.TypeFor"
		}
	}
	return false
}

// checkWrites refuses assignments to package variables, to their elements and fields, and taking their address.
func checkWrites(t *testing.T, name string, set *token.FileSet, file *ast.File, info *types.Info, scope *types.Package) {
	t.Helper()
	refuse := func(target ast.Expr) {
		variable, ok := info.Uses[root(target)].(*types.Var)
		if ok && variable.Parent() == scope.Scope() && state[name+"."+variable.Name()] == "" {
			t.Errorf("%s: package variable %s may change here", set.Position(target.Pos()), variable.Name())
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.AssignStmt:
			for _, target := range node.Lhs {
				refuse(target)
			}
		case *ast.IncDecStmt:
			refuse(node.X)
		case *ast.UnaryExpr:
			if node.Op == token.AND {
				refuse(node.X)
			}
		case *ast.CallExpr:
			if function, ok := node.Fun.(*ast.Ident); ok && (function.Name == "delete" || function.Name == "clear") {
				refuse(node.Args[0])
			}
		}
		return true
	})
}

// root is the variable at the start of a.b[c].d, or nil.
func root(target ast.Expr) *ast.Ident {
	for {
		switch part := target.(type) {
		case *ast.Ident:
			return part
		case *ast.SelectorExpr:
			target = part.X
		case *ast.IndexExpr:
			target = part.X
		case *ast.StarExpr:
			target = part.X
		case *ast.ParenExpr:
			target = part.X
		default:
			return nil
		}
	}
}
