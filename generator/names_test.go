package generator

import (
	"strings"
	"testing"
)

func TestKebab(t *testing.T) {
	tests := []struct{ name, want string }{
		{"Chat", "chat"},
		{"chat", "chat"},
		{"HTTPRoom", "http-room"},
		{"RoomHTTP", "room-http"},
		{"UserV2", "user-v2"},
		{"GameRoom2D", "game-room-2d"},
		{"Chess3DRoom", "chess-3d-room"},
		{"Base64Room", "base64-room"},
		{"Room2", "room2"},
		{"X", "x"},
		{"IOTest", "io-test"},
		{"Chat_Room", "chat-room"},
		{"_chat", "chat"},
		{"A1B2", "a1b2"},
		{"URL2Room", "url2-room"},
		{"Größe", ""},
		{"_", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := kebab(tt.name); got != tt.want {
			t.Errorf("kebab(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzKebab(f *testing.F) {
	f.Add("HTTPRoom2D")
	f.Fuzz(func(t *testing.T, name string) {
		got := kebab(name)
		if got == "" {
			return
		}
		if must := checkPartyName(got); must != "" {
			t.Errorf("kebab(%q) = %q, which must be %s", name, got, must)
		}
		if strings.ReplaceAll(got, "-", "") != strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name)) {
			t.Errorf("kebab(%q) = %q has other letters", name, got)
		}
	})
}

func TestNearCallback(t *testing.T) {
	tests := []struct{ method, want string }{
		{"OnMesage", "OnMessage"},
		{"onMessage", "OnMessage"},
		{"OnMessages", "OnMessage"},
		{"OnMessaeg", "OnMessage"},
		{"Onconnect", "OnConnect"},
		{"On_Connect", "OnConnect"},
		{"OnConnected", "OnConnect"},
		{"OnStarted", "OnStart"},
		{"OnStarting", "OnStart"},
		{"OnClosed", "OnClose"},
		{"NnClose", "OnClose"},
		{"ConnectionTag", "ConnectionTags"},
		{"getConnectionTags", "ConnectionTags"},
		{"OnStart", ""},
		{"OnState", ""},
		{"OnCollect", ""},
		{"OnReset", ""},
		{"OnDisconnect", ""},
		{"Message", ""},
		{"Broadcast", ""},
		{"On", ""},
		{"", ""},
	}
	for _, tt := range tests {
		got := ""
		if h := nearCallback(tt.method); h != nil {
			got = h.Method
		}
		if got != tt.want {
			t.Errorf("nearCallback(%q) = %q, want %q", tt.method, got, tt.want)
		}
	}
}

func TestImportNames(t *testing.T) {
	taken := map[string]bool{"party": true, "context": true, "fs": true, "iofs": true, "iofs_": true}
	got := newImports(func(name string) bool { return taken[name] })
	want := Imports{Party: "partyruntime", Server: "server", Embed: "embed", FS: "iofs__", Context: "gocontext", SocketIO: "socketio", Isolate: "isolate"}
	if got != want {
		t.Errorf("newImports = %+v, want %+v", got, want)
	}
}

func TestPackageName(t *testing.T) {
	tests := []struct{ path, want string }{
		{"net/http", "http"},
		{"github.com/a/b", "b"},
		{"github.com/a/b/v2", "b"},
		{"gopkg.in/yaml.v3", "yaml"},
		{"github.com/a/go-redis", "redis"},
		{"example.com/a-b", "a_b"},
		{"v2", "v2"},
		{"example.com/1", "unknown"},
		{"", "unknown"},
	}
	for _, tt := range tests {
		if got := packageName(tt.path); got != tt.want {
			t.Errorf("packageName(%q) = %q, want %q", tt.path, got, tt.want)
		}
	}
}

func TestPattern(t *testing.T) {
	tests := []struct {
		path        string
		underscores bool
		want        string
	}{
		{"public", false, "public"},
		{"public", true, "all:public"},
		{"my public", true, "`all:my public`"},
		{"a[1]", false, "`a\\[1]`"},
	}
	for _, tt := range tests {
		if got := pattern(tt.path, tt.underscores); got != tt.want {
			t.Errorf("pattern(%q, %v) = %s, want %s", tt.path, tt.underscores, got, tt.want)
		}
	}
}
