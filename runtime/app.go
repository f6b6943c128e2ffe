package party

import (
	"context"
	"net/http"
	"slices"
)

// GeneratedVersion is the version of the contract between generated code and
// this package. Generated code states the one it was made for, and a host of another
// version refuses to start and says to run "party generate".
const GeneratedVersion = 1

// App is everything a program serves. Generated code holds one; library users
// let server.New make it.
type App struct {
	Generated int // GeneratedVersion when the code was generated; 0 when written by hand
	Rooms     []Definition

	Fetch         func(w http.ResponseWriter, r *http.Request, lobby *Lobby)
	Socket        func(ctx context.Context, conn *Conn, r *http.Request, lobby *Lobby) error
	BeforeConnect []BeforeHook
	BeforeRequest []BeforeHook
	Crons         []CronHook

	// Migrations are the recorded changes in the set of parties, oldest first. A
	// server takes its store through those that it has not been through, before any room opens.
	Migrations []Migration
	// Errors keep their identity when a call to another room returns them.
	Errors []KnownError
}

// Join adds what other packages serve to an app. Generated code of a program calls it once for all packages of
// its module that have rooms. What is one for the whole app, Fetch and Socket, is the first that is set, and
// Migrations are those of the app itself.
func Join(app App, parts ...*App) App {
	for _, part := range parts {
		if part.Generated != 0 && part.Generated != GeneratedVersion {
			app.Generated = part.Generated // the host says what to do
		}
		app.Rooms = append(slices.Clip(app.Rooms), part.Rooms...)
		app.BeforeConnect = append(slices.Clip(app.BeforeConnect), part.BeforeConnect...)
		app.BeforeRequest = append(slices.Clip(app.BeforeRequest), part.BeforeRequest...)
		app.Crons = append(slices.Clip(app.Crons), part.Crons...)
		app.Errors = append(slices.Clip(app.Errors), part.Errors...)
		if app.Fetch == nil {
			app.Fetch = part.Fetch
		}
		if app.Socket == nil {
			app.Socket = part.Socket
		}
	}
	return app
}

// BeforeHook sees what comes from outside before its room does. It returns
// the request to go on with, changed or not, or answers through w and returns nil. An error is
// a 401 with its text, or what [Reject] says.
type BeforeHook struct {
	Party string // "" for every party that has no hook of its own
	Func  func(w http.ResponseWriter, r *http.Request, lobby *Lobby) (*http.Request, error)
}

// CronHook runs on the schedule that the manifest gives its name.
type CronHook struct {
	Name string
	Func func(ctx context.Context, tick Tick, lobby *Lobby) error
}

// Definition is one kind of room.
type Definition struct {
	Name      string // in URLs and in the store
	Type      string // Go type, for messages
	Main      bool   // answers under /party/:room too
	Hibernate bool   // may be dropped from memory while sockets are open
	New       func() Instance
	Methods   []Method       // that other code may call
	Messages  []TypedMessage // by the type of the frames that they take
	Engine    *EngineOptions // rooms speak Engine.IO too; nil: they do not
}

// Instance is one fresh value of a room type with the callbacks that it has.
type Instance struct {
	Room *Room // the embedded one

	Start     Starter
	Connect   Connecter
	Message   Messenger
	Close     Closer
	Error     ErrorHandler
	Request   Requester
	Alarm     Alarmer
	Exception ExceptionHandler
	Tags      Tagger
	Engine    EngineHandler // takes the connections that come in through Engine.IO

	// Persist are the fields of the value that outlive it.
	Persist []Persisted
	// Migrate are the changes that stored data of older code needs, ascending.
	Migrate []DataMigration

	Value any // the room type's value, for packages that add to a Definition
}

// embedsRoom is satisfied by a pointer to any struct that embeds Room.
type embedsRoom[T any] interface {
	*T
	base() *Room
}

// DefineOption changes a Definition made by Define.
type DefineOption func(*Definition)

// AsMain makes the party answer under /party/:room too.
func AsMain() DefineOption { return func(d *Definition) { d.Main = true } }

// AsHibernating lets rooms be dropped from memory while sockets are open.
func AsHibernating() DefineOption { return func(d *Definition) { d.Hibernate = true } }

// Define describes the room type T, a struct that embeds Room, without
// generated code. name is the party's name in URLs: lower case letters, digits
// and hyphens.
func Define[T any, P embedsRoom[T]](name string, opts ...DefineOption) Definition {
	d := Definition{Name: name, Type: typeName[T](), New: func() Instance {
		v := P(new(T))
		return bind(v.base(), v)
	}}
	for _, o := range opts {
		o(&d)
	}
	return d
}

// bind finds the callbacks of v by their interfaces.
func bind(room *Room, v any) Instance {
	i := Instance{Room: room, Value: v}
	i.Start, _ = v.(Starter)
	i.Connect, _ = v.(Connecter)
	i.Message, _ = v.(Messenger)
	i.Close, _ = v.(Closer)
	i.Error, _ = v.(ErrorHandler)
	i.Request, _ = v.(Requester)
	i.Alarm, _ = v.(Alarmer)
	i.Exception, _ = v.(ExceptionHandler)
	i.Tags, _ = v.(Tagger)
	return i
}
