package devserver

import (
	"encoding/json"
	"path/filepath"
	"reflect"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// project is the folder that everything but the package is relative to.
func (o *Options) project() string {
	if o.Manifest != "" {
		return filepath.Dir(o.Manifest)
	}
	return o.Dir
}

// loadConfig reads the manifest and the variables. With errors in the list
// there is no config.
func loadConfig(o *Options) (*config, diag.List) {
	m := manifest.Default()
	var list diag.List
	if o.Manifest != "" {
		if m, list = manifest.Load(o.Manifest); list.HasErrors() {
			return nil, list
		}
	}
	vars, files, more := manifest.LoadVars(m, o.project(), true, o.Vars)
	if list = append(list, more...); list.HasErrors() {
		return nil, list
	}
	data, err := json.Marshal(vars)
	if err != nil {
		// Vars are JSON values and strings. The error would show one.
		list.Errorf(m.Pos("vars"), "bad-vars", "the variables cannot be encoded as JSON")
		return nil, list
	}
	return &config{manifest: m, vars: data, varFiles: files}, list
}

// envFiles may hold variables; they need not exist.
func (o *Options) envFiles() []string {
	return []string{filepath.Join(o.project(), ".env"), filepath.Join(o.project(), ".env.local")}
}

// fixed names the keys whose values have changed and that a running platform
// cannot take over.
func fixed(was, now *manifest.Manifest) []string {
	var keys []string
	for _, k := range []struct {
		name     string
		was, now any
	}{
		{"main", was.Main, now.Main},
		{"port", was.Port, now.Port},
		{"persist", was.Persist, now.Persist},
		{"prefix", was.Prefix, now.Prefix},
		{"limits", was.Limits, now.Limits},
		{"cors", was.CORS, now.CORS},
		{"origins", was.Origins, now.Origins},
		{"trustedProxies", was.TrustedProxies, now.TrustedProxies},
		{"crons", was.Crons, now.Crons},
		{"serve.singlePageApp", was.Serve.SinglePageApp, now.Serve.SinglePageApp},
	} {
		if !reflect.DeepEqual(k.was, k.now) {
			keys = append(keys, k.name)
		}
	}
	return keys
}

// assetsDir is the folder of static files; "" if there is none.
func (c *config) assetsDir() string {
	if c.manifest.Serve.Path == "" {
		return ""
	}
	return c.manifest.Abs(c.manifest.Serve.Path)
}
