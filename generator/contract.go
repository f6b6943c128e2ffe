package generator

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"sync"
)

const (
	runtimePath = "github.com/goparty-dev/party/runtime"
	serverPath  = runtimePath + "/server"
	isolatePath = runtimePath + "/isolate"
	contextPath = "context"
	httpPath    = "net/http"
	timePath    = "time"

	// runtimeVersion is party.GeneratedVersion of the runtime that the output fits.
	runtimeVersion = 1
)

// hook is one callback of a room type.
type hook struct {
	Method    string
	Field     string // of party.Instance
	signature string // parameters and results
}

// hooks are all callbacks, in the order of the fields of party.Instance.
var hooks = []hook{
	{"OnStart", "Start", "(ctx context.Context) error"},
	{"OnConnect", "Connect", "(ctx context.Context, conn *party.Conn, r *http.Request) error"},
	{"OnMessage", "Message", "(ctx context.Context, conn *party.Conn, msg party.Message) error"},
	{"OnClose", "Close", "(ctx context.Context, conn *party.Conn, ev party.CloseEvent)"},
	{"OnError", "Error", "(ctx context.Context, conn *party.Conn, err error)"},
	{"OnRequest", "Request", "(w http.ResponseWriter, r *http.Request)"},
	{"OnAlarm", "Alarm", "(ctx context.Context) error"},
	{"OnException", "Exception", "(ctx context.Context, err error)"},
	{"ConnectionTags", "Tags", "(ctx context.Context, conn *party.Conn, r *http.Request) ([]string, error)"},
}

// stubs are the packages whose types appear in signatures, cut down to these
// types. Type-checking against them instead of the real ones takes microseconds,
// and needs neither the module cache nor a package that compiles.
var stubs = []struct{ path, source string }{
	{contextPath, "package context; type Context interface{ Err() error }"},
	{httpPath, "package http; type (ResponseWriter interface{ WriteHeader(int) }; Request struct{ Method string })"},
	{"errors", "package errors; func New(text string) error"},
	{"fmt", "package fmt; func Errorf(format string, a ...any) error"},
	{timePath, "package time; type (Time struct{ _ int }; Duration int64; Month int; Weekday int)"},
	{socketioPath, "package socketio; type Server struct{ _ int }"},
	{runtimePath, "package party; type (Room struct{ _ int }; Conn struct{ _ int }; Message struct{ _ int }; CloseEvent struct{ _ int }; Lobby struct{ _ int }; Tick struct{ _ int })"},
}

// contract is what user code is compared with. It is read-only.
type contract struct {
	packages  map[string]*types.Package
	room      types.Type
	context   types.Type
	callbacks map[string]*types.Signature // by method
	functions map[string]*types.Signature // by verb
}

// theContract is made once: types are compared by identity.
var theContract = sync.OnceValue(func() *contract {
	c := &contract{
		packages:  make(map[string]*types.Package),
		callbacks: make(map[string]*types.Signature),
		functions: make(map[string]*types.Signature),
	}
	for _, s := range stubs {
		c.add(s.path, s.source)
	}
	c.context = c.packages[contextPath].Scope().Lookup("Context").Type()
	c.room = c.packages[runtimePath].Scope().Lookup("Room").Type()

	var src strings.Builder
	fmt.Fprintf(&src, "package expected; import (%q; %q; party %q; %q)\n", contextPath, httpPath, runtimePath, socketioPath)
	for _, h := range hooks {
		fmt.Fprintf(&src, "type %s func%s\n", h.Method, h.signature)
	}
	for i, a := range annotations {
		if a.signature != "" {
			fmt.Fprintf(&src, "type F%d %s\n", i, a.signature)
		}
	}
	scope := c.add("expected", src.String()).Scope()
	signature := func(name string) *types.Signature {
		return scope.Lookup(name).Type().Underlying().(*types.Signature)
	}
	for _, h := range hooks {
		c.callbacks[h.Method] = signature(h.Method)
	}
	for i, a := range annotations {
		if a.signature != "" {
			c.functions[a.verb] = signature(fmt.Sprintf("F%d", i))
		}
	}
	return c
})

// add type-checks a package of ours. A mistake in it is a mistake in this file.
func (c *contract) add(path, source string) *types.Package {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, source, parser.SkipObjectResolution)
	if err != nil {
		panic("generator: " + err.Error())
	}
	pkg, err := (&types.Config{Importer: c}).Check(path, fset, []*ast.File{file}, nil)
	if err != nil {
		panic("generator: " + err.Error())
	}
	c.packages[path] = pkg
	return pkg
}

// Import implements types.Importer for the stubs.
func (c *contract) Import(path string) (*types.Package, error) {
	if pkg := c.packages[path]; pkg != nil {
		return pkg, nil
	}
	return nil, fmt.Errorf("no stub of %q", path)
}
