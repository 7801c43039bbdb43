// Package core_test holds the core to its own rules: who may import whom, what stays pure, how long a file may be, and
// where state and goroutines may live. The Python side of the same rules is in tests/shape.
package core_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	fileLines     = 500
	functionLines = 60
)

// imports is the import law: each package of the core, and the packages of the core that it may import.
var imports = map[string][]string{
	"llm":       {},
	"stream":    {},
	"price":     {"llm"},
	"guard":     {"llm"},
	"fake":      {"guard"},
	"transport": {"guard", "llm"},
	"provider":  {"llm", "stream"},
	"policy":    {"llm", "price"},
	"share":     {},
	"engine":    {"fake", "guard", "llm", "policy", "price", "provider", "share", "stream", "transport"},
	"bridge":    {"engine", "guard", "llm"},
	"cabi":      {"bridge", "guard"},
	"process":   {"bridge", "guard", "llm"},
}

// pure packages take values and give values: no socket, file, environment variable or clock.
var pure = []string{"llm", "stream", "price", "provider", "policy"}

// impure are the imports that would make a package anything else; net/http is refused by TestImportLaw already.
var impure = []string{"crypto/rand", "log", "math/rand", "math/rand/v2", "net", "os", "os/exec", "syscall"}

// clocks are the functions of package time that read or wait for the real one.
var clocks = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

// speakers are the packages that may know HTTP.
var speakers = []string{"transport", "fake", "engine"}

// source is one Go file of the core.
type source struct {
	path string // below core, with slashes
	pkg  string // the package's folder
	test bool
	file *ast.File
	set  *token.FileSet
}

func (s source) line(node ast.Node) int { return s.set.Position(node.Pos()).Line }

// sources reads every Go file of the core, whatever its build tags.
func sources(t *testing.T) []source {
	t.Helper()
	var found []source
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		name = filepath.ToSlash(name)
		found = append(found, source{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), file, set})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("found %d Go files under core: this test looks in the wrong place", len(found))
	}
	return found
}

// production leaves out the tests, which may build what they like.
func production(t *testing.T) []source {
	return slices.DeleteFunc(sources(t), func(s source) bool { return s.test })
}

func TestImportLaw(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range production(t) {
		seen[s.pkg] = true
		allowed, known := imports[s.pkg]
		if !known {
			t.Errorf("%s: package %s is not in the import law", s.path, s.pkg)
		}
		for _, spec := range s.file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			checkImport(t, s, name, allowed)
		}
	}
	for name := range imports {
		if !seen[name] {
			t.Errorf("the import law names package %s, which has no files", name)
		}
	}
}

func checkImport(t *testing.T, s source, name string, allowed []string) {
	t.Helper()
	own, isOwn := strings.CutPrefix(name, "pyagent/core/")
	switch {
	case isOwn && !slices.Contains(allowed, own):
		t.Errorf("%s imports %s; package %s may import %q of the core only", s.path, own, s.pkg, allowed)
	case !isOwn && strings.Contains(strings.Split(name, "/")[0], "."):
		t.Errorf("%s imports %s; the core is standard library only", s.path, name)
	case name == "os/signal" && s.pkg != "process": // which has a process of its own
		t.Errorf("%s imports os/signal: signals belong to the host", s.path)
	case (name == "C" || name == "unsafe") && s.pkg != "cabi":
		t.Errorf("%s imports %s; only cabi may", s.path, name)
	case strings.HasPrefix(name, "net/http") && !slices.Contains(speakers, s.pkg):
		t.Errorf("%s imports %s; only %q may know HTTP", s.path, name, speakers)
	case slices.Contains(pure, s.pkg) && slices.Contains(impure, name):
		t.Errorf("%s imports %s; package %s is pure: values in, values out", s.path, name, s.pkg)
	}
}

func TestPurePackagesReadNoClock(t *testing.T) {
	for _, s := range production(t) {
		if !slices.Contains(pure, s.pkg) {
			continue
		}
		ast.Inspect(s.file, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if from, ok := selector.X.(*ast.Ident); ok && from.Name == "time" && slices.Contains(clocks, selector.Sel.Name) {
				t.Errorf("%s:%d: time.%s in a pure package; take the time as a value", s.path, s.line(node), selector.Sel.Name)
			}
			return true
		})
	}
}

func TestGoroutinesStartInGuardOnly(t *testing.T) {
	found := 0
	for _, s := range production(t) {
		ast.Inspect(s.file, func(node ast.Node) bool {
			if _, ok := node.(*ast.GoStmt); ok {
				found++
				if s.pkg != "guard" {
					t.Errorf("%s:%d: a bare goroutine; a panic in it would end the host's process: use guard.Go", s.path, s.line(node))
				}
			}
			return true
		})
	}
	if found == 0 {
		t.Error("no `go` statement at all, not even in guard: this test does not see what it should")
	}
}

func TestBudgets(t *testing.T) {
	for _, s := range sources(t) {
		file := s.set.File(s.file.Pos())
		if lines := file.LineCount(); lines > fileLines {
			t.Errorf("%s has %d lines; %d is the budget: split it by job", s.path, lines, fileLines)
		}
		for _, declaration := range s.file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || s.test {
				continue
			}
			lines := s.set.Position(function.End()).Line - s.line(function) + 1
			if lines > functionLines {
				t.Errorf("%s:%d: %s has %d lines; %d is the budget", s.path, s.line(function), function.Name.Name, lines, functionLines)
			}
		}
	}
}

func TestEveryPackageSaysItsJob(t *testing.T) {
	said := map[string]string{}
	for _, s := range production(t) {
		said[s.pkg] += s.file.Doc.Text() // "" where there is none
	}
	for name, text := range said {
		if strings.TrimSpace(text) == "" {
			t.Errorf("package %s has no package comment: its first sentence says its one job", name)
		}
	}
}
