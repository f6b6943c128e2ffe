package generator

import "regexp"

// prefix begins every annotation. There is no space in it: that makes it a
// directive, which gofmt and go doc leave alone.
const prefix = "//party:"

// target is the kind of declaration that an annotation belongs on.
type target uint8

const (
	onStruct target = iota + 1
	onFunc
	onMethod // of a room type
)

// annotation is one row of the grammar.
type annotation struct {
	verb      string
	on        target
	operand   operand
	options   []option
	signature string // of the function that it belongs on
	shape     string // instead of a signature, where there are many
	doc       string
	example   string // what stands behind the verb in one use of it
}

// operand is the bare word behind a verb.
type operand struct {
	show     string // in the grammar; empty: there is none
	required bool
	check    func(string) string
}

// option is a flag, or with show a NAME=VALUE.
type option struct {
	name  string
	show  string
	check func(string) string
	doc   string
}

const (
	verbRoom          = "room"
	verbFetch         = "fetch"
	verbSocket        = "socket"
	verbBeforeConnect = "before-connect"
	verbBeforeRequest = "before-request"
	verbCron          = "cron"
	verbMigrate       = "migrate"
	verbRPC           = "rpc"
	verbMessage       = "message"
	verbEvent         = "event"

	optionName      = "name"
	optionMain      = "main"
	optionHibernate = "hibernate"
	optionPublic    = "public"
)

const beforeSignature = "func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) (*http.Request, error)"

// annotations is the grammar. Parsing, diagnostics and Explain follow it.
var annotations = []annotation{
	{
		verb: verbRoom, on: onStruct,
		example: "name=lobby main hibernate",
		options: []option{
			{name: optionName, show: "NAME", check: checkPartyName, doc: "the party's name in URLs; by default the type's in kebab-case: HTTPRoom is http-room"},
			{name: optionMain, doc: "answers under /party/:room too; the only room type does so anyway"},
			{name: optionHibernate, doc: "may leave memory while its sockets are open"},
			{name: optionSocketIO, show: "VAR", check: checkVariable, doc: "a package variable of type []socketio.Option, for a room type with the method OnSocketIO"},
		},
		doc: "A struct type that embeds party.Room is a kind of room.",
	},
	{
		verb: verbFetch, on: onFunc,
		signature: "func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby)",
		doc:       "Answers the requests that match no room and no asset.",
	},
	{
		verb: verbSocket, on: onFunc,
		signature: "func(ctx context.Context, conn *party.Conn, r *http.Request, lobby *party.Lobby) error",
		doc:       "Serves the WebSockets that match no room.",
	},
	{
		verb: verbBeforeConnect, on: onFunc, operand: operand{show: "PARTY", check: checkPartyName},
		example:   "lobby",
		signature: beforeSignature,
		doc:       "Sees what comes from outside to connect to a room of the party, or of every party without a function of its own.",
	},
	{
		verb: verbBeforeRequest, on: onFunc, operand: operand{show: "PARTY", check: checkPartyName},
		example:   "lobby",
		signature: beforeSignature,
		doc:       "The same for requests.",
	},
	{
		verb: verbSocketIO, on: onFunc,
		example: "path=/io/ hibernate",
		options: []option{
			{name: optionPath, show: "PATH", check: checkMount, doc: "where clients find it; by default " + defaultMount},
			{name: optionName, show: "NAME", check: checkPartyName, doc: "the name of the party that it runs in; by default socketio"},
			{name: optionOptions, show: "VAR", check: checkVariable, doc: "a package variable of type []socketio.Option: CORS, recovery, timings"},
			{name: optionHibernate, doc: "may leave memory while its sockets are open"},
		},
		signature: "func(io *socketio.Server)",
		doc:       "Is a Socket.IO server. A room type has one of its own by a method OnSocketIO of the same signature.",
	},
	{
		verb: verbCron, on: onFunc, operand: operand{show: "NAME", required: true, check: checkCronName},
		example:   "nightly",
		signature: "func(ctx context.Context, tick party.Tick, lobby *party.Lobby) error",
		doc:       "Runs on the schedule that crons in party.json gives to the name.",
	},
	{
		verb: verbMigrate, on: onMethod, operand: operand{show: "VERSION", required: true, check: checkVersion},
		example:   "2",
		signature: "func(ctx context.Context) error",
		doc:       "Brings a room's data to the version, from 2 on: once per room, before OnStart, as one commit. It must not await.",
	},
	{
		verb: verbRPC, on: onMethod, shape: rpcShape,
		example: "public",
		options: []option{{name: optionPublic, doc: "clients may call it too: POST …/_call/METHOD below the room's URL, with a JSON list of the arguments"}},
		doc:     "Other rooms and code outside rooms may call the method, by way of Parties. Arguments and results travel as JSON.",
	},
	{
		verb: verbMessage, on: onMethod, shape: messageShape, operand: operand{show: "TYPE", check: checkFrameType},
		example: "say",
		doc:     "Takes the text frames of that type, {\"type\": \"say\", …}; by default the method's name in kebab-case. Other frames go to OnMessage, or are answered with an error frame.",
	},
	{
		verb: verbEvent, on: onStruct, operand: operand{show: "TYPE", check: checkFrameType},
		example: "said",
		doc:     "A struct type that is sent as such a frame: its method Message, which is generated, makes it one.",
	},
}

// grammar returns the annotation's form, as it is written.
func (a *annotation) grammar() string {
	s := prefix + a.verb
	switch {
	case a.operand.show == "":
	case a.operand.required:
		s += " " + a.operand.show
	default:
		s += " [" + a.operand.show + "]"
	}
	for _, o := range a.options {
		s += " [" + o.form() + "]"
	}
	return s
}

func (o *option) form() string {
	if o.show == "" {
		return o.name
	}
	return o.name + "=" + o.show
}

func (a *annotation) option(name string) *option {
	for i := range a.options {
		if a.options[i].name == name {
			return &a.options[i]
		}
	}
	return nil
}

func lookupAnnotation(verb string) *annotation {
	for i := range annotations {
		if annotations[i].verb == verb {
			return &annotations[i]
		}
	}
	return nil
}

func verbs() []string {
	names := make([]string, len(annotations))
	for i := range annotations {
		names[i] = annotations[i].verb
	}
	return names
}

var cronName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

func checkCronName(s string) string {
	if cronName.MatchString(s) {
		return ""
	}
	return "letters, digits, hyphens and underscores"
}
