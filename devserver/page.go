package devserver

import (
	"html/template"
	"regexp"
)

// waitingPage stands in for all pages until there is code that serves them. It works
// without a script too, by being loaded again.
var waitingPage = template.Must(template.New("waiting").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{if .Problems}}Build failed{{else}}Building…{{end}} · party dev</title>
<noscript><meta http-equiv="refresh" content="2"></noscript>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 10vh auto; max-width: 48rem; padding: 0 1rem }
pre { overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>{{if .Problems}}There is nothing to serve yet{{else}}Building…{{end}}</h1>
{{range .Problems}}<p><strong>{{.Title}}</strong></p>
<pre>{{if .Place}}{{.Place}}: {{end}}{{.Message}}
{{.Detail}}</pre>
{{end}}<p>This page changes by itself when your program runs.</p>
<script src="/_party/overlay.js" data-until-serving defer></script>
</body>
</html>
`))

var bodyEnd = regexp.MustCompile(`(?i)</body\s*>`)

var overlayTag = []byte(`<script src="/_party/overlay.js" defer></script>`)

// addOverlay puts the overlay's script into a page: before the last </body>, or at its end.
func addOverlay(page []byte) []byte {
	at := len(page)
	if ends := bodyEnd.FindAllIndex(page, -1); len(ends) > 0 {
		at = ends[len(ends)-1][0]
	}
	out := make([]byte, 0, len(page)+len(overlayTag)+1)
	out = append(append(out, page[:at]...), overlayTag...)
	return append(append(out, '\n'), page[at:]...)
}
