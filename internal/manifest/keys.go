package manifest

// root is the table of all keys.
var root = object{fields: []field{
	{name: "$schema", of: text{}, doc: "The JSON schema of this file, for editors. Without effect."},
	{name: "name", of: slug, doc: "Name of the project."},
	{name: "main", of: relative, def: ".", doc: "The Go file or the package folder with the server."},
	{name: "port", of: integer{1, 65535}, def: DefaultPort, doc: "Port of party dev. When only the default is taken, the next free one is used."},
	{name: "parties", of: dict{slug, goType}, doc: "Party name to Go type name, with the package's name or path in front where several packages have such a type. Overrides what the annotations say."},
	{name: "serve", of: either{
		short{relative, func(n any) any { return serve.filled(map[string]any{"path": n}) }},
		serve,
	}, doc: "Static assets: their folder, or an object."},
	{name: "client", of: tsFile, doc: "TypeScript file that party generate writes for the front end: typed messages, events and calls."},
	{name: "persist", of: either{
		short{boolean{}, func(n any) any {
			if n == true {
				return DefaultPersist
			}
			return ""
		}},
		folder,
	}, def: DefaultPersist, doc: "Folder of the durable state of party dev. false keeps it in memory, true is the default folder."},
	{name: "vars", of: dict{variable, anything{}}, doc: "Values for the server's environment. .env, .env.local (party dev only) and --var override them."},
	{name: "define", of: dict{word, text{}}, doc: "Strings fixed at build time: Go variable to value."},
	{name: "build", of: build, doc: "A command that runs before each build; in party dev when it starts, and when something changes that it watches. It has to end."},
	{name: "crons", of: dict{cronName, text{rule: cronRule}}, doc: "Name of a //party:cron function to its schedule: five fields, @hourly and the like, or @every 90s."},
	{name: "migrations", of: list{of: migration, unique: "tag"}, doc: "Recorded changes in the set of room types. Written by party generate and party migrations."},
	{name: "limits", of: limits(DefaultLimits()), doc: "What clients can make the server hold or do."},
	{name: "cors", of: either{
		short{boolean{}, func(n any) any {
			if n == true {
				return cors(map[string]any{})
			}
			return nil
		}},
		short{corsObject, func(n any) any { return cors(n.(map[string]any)) }},
	}, doc: "Lets pages of other origins read answers of rooms. Off by default."},
	{name: "prefix", of: prefix, def: DefaultPrefix, doc: "First part of the URLs of rooms: one or more segments."},
	{name: "origins", of: list{of: origin}, doc: "Origins besides the server's own whose pages may open sockets with cookies or an Authorization header."},
	{name: "trustedProxies", of: list{of: proxy}, doc: "Proxies whose X-Forwarded-For, X-Forwarded-Host and X-Forwarded-Proto are believed: \"unix\", \"loopback\", addresses, networks."},
	{name: "deploy", of: object{fields: []field{
		{name: "name", of: slug, doc: "Name to deploy under. By default the name of the project."},
		{name: "target", of: word, doc: "Where to deploy to: https://HOST of a party host, or USER@SERVER to reach it by SSH."},
		{name: "domain", of: host, doc: "Host name that clients use."},
	}}, doc: "Where party deploy goes."},
}}

var serve = object{fields: []field{
	{name: "path", of: relative, required: true, doc: "Folder of the assets."},
	{name: "build", of: either{
		short{relative, func(n any) any { return clientBuild.filled(map[string]any{"entry": []any{n}}) }},
		clientBuild,
	}, doc: "Bundles browser code: the entry file, or an object."},
	{name: "singlePageApp", of: boolean{}, def: false, doc: "Serves index.html to navigations that match nothing."},
	{name: "browserTTL", of: ttl, doc: "Seconds for which browsers may keep an asset."},
	{name: "edgeTTL", of: ttl, doc: "Seconds for which caches before the server may keep an asset."},
}}

var clientBuild = object{fields: []field{
	{name: "entry", of: oneOrMore(relative, 1), required: true, doc: "The file or files to bundle."},
	{name: "bundle", of: boolean{}, def: true, doc: "Includes what is imported."},
	{name: "splitting", of: boolean{}, def: true, doc: "Puts code that entries share into files of its own."},
	{name: "outdir", of: relative, doc: "Folder of the output. By default dist in the folder of the assets."},
	{name: "minify", of: boolean{}, doc: "By default off in party dev and else on."},
	{name: "format", of: choice{"esm", "cjs", "iife"}, def: "esm", doc: "Format of the output."},
	{name: "sourcemap", of: boolean{}, def: true, doc: "Writes source maps."},
	{name: "define", of: dict{word, text{}}, doc: "Names to the JavaScript expressions that replace them."},
	{name: "external", of: list{of: word}, doc: "Packages that are not bundled."},
	{name: "loader", of: dict{extension, word}, doc: "File extension to esbuild loader."},
	{name: "alias", of: dict{word, word}, doc: "Package to the package that replaces it."},
}}

var build = object{fields: []field{
	{name: "command", of: text{}, doc: "For the shell. Empty: none."},
	{name: "cwd", of: relative, def: ".", doc: "Folder that the command runs in."},
	{name: "watch", of: oneOrMore(relative, 0), doc: "Files or folders whose change runs the command again."},
}}

var migration = object{fields: []field{
	{name: "tag", of: word, required: true, doc: "Unique name of this step."},
	{name: "new", of: list{of: word}, doc: "Room types that are new."},
	{name: "renamed", of: list{of: object{fields: []field{
		{name: "from", of: word, required: true, doc: "The old name."},
		{name: "to", of: word, required: true, doc: "The new name."},
	}}}, doc: "Room types that have a new name; their rooms keep their storage."},
	{name: "deleted", of: list{of: word}, doc: "Room types that are gone, with the storage of their rooms."},
}}

var corsObject = object{fields: []field{
	{name: "origins", of: list{of: origin}, doc: "Origins whose pages may read. By default every one, unless headers says it."},
	{name: "headers", of: dict{headerName, headerValue}, doc: "Headers to send instead of the usual ones."},
}}

func limits(d Limits) object {
	const most = 1<<31 - 1
	count := integer{1, most}
	return object{fields: []field{
		{name: "messageBytes", of: count, def: d.MessageBytes, doc: "One WebSocket message, in bytes. Over it: close 1009."},
		{name: "bodyBytes", of: integer{1, 1 << 50}, def: d.BodyBytes, doc: "One request body, in bytes. Over it: 413."},
		{name: "roomNameBytes", of: count, def: d.RoomNameBytes, doc: "The name of a room, in bytes. Over it: 400."},
		{name: "sendQueueBytes", of: count, def: d.SendQueueBytes, doc: "What waits for one slow connection, in bytes. Over it: close 1013."},
		{name: "connections", of: count, def: d.Connections, doc: "Open sockets in all. Over it: 503."},
		{name: "roomConnections", of: count, def: d.RoomConnections, doc: "Open sockets in one room. Over it: 503."},
		{name: "headerBytes", of: count, def: d.HeaderBytes, doc: "The headers of one request, in bytes. Over it: 431."},
		{name: "idleSeconds", of: seconds{}, def: d.Idle.Seconds(), doc: "How long a room without events stays in memory."},
		{name: "roomQueue", of: count, def: d.RoomQueue, doc: "Events that wait for one room. Over it: 503 with Retry-After."},
	}}
}

// oneOrMore is a list of at least min, or its only element.
func oneOrMore(of shape, min int64) shape {
	return either{short{of, func(n any) any { return []any{n} }}, list{of: of, min: min}}
}
