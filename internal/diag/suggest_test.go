package diag_test

import (
	"strings"
	"testing"

	"github.com/goparty-dev/party/internal/diag"
)

func TestSuggest(t *testing.T) {
	known := []string{"name", "main", "port", "parties", "serve", "singlePageApp", "migrations", "origins", "before-connect", "id"}
	tests := []struct{ word, want string }{
		{"prot", "port"},
		{"ports", "port"},
		{"Port", "port"},
		{"partys", "parties"},
		{"party", ""},
		{"migration", "migrations"},
		{"single_page_app", "singlePageApp"},
		{"singlePage", "singlePageApp"},
		{"beforeConnect", "before-connect"},
		{"maim", "main"},
		{"nane", "name"},
		{"xx", ""},
		{"di", "id"},
		{"", ""},
		{"port", ""},
		{"cors", ""},
		{"origin", "origins"},
		{strings.Repeat("port", 1000), ""},
	}
	for _, tt := range tests {
		if got := diag.Suggest(tt.word, known); got != tt.want {
			t.Errorf("Suggest(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
	if got, want := diag.DidYouMean("prot", known), `did you mean "port"?`; got != want {
		t.Errorf("DidYouMean = %q, want %q", got, want)
	}
	if got := diag.DidYouMean("xyz", known); got != "" {
		t.Errorf("DidYouMean of an unknown word = %q", got)
	}
}

func FuzzSuggest(f *testing.F) {
	f.Add("prot", "port,ports")
	f.Fuzz(func(t *testing.T, word, known string) {
		names := strings.Split(known, ",")
		got := diag.Suggest(word, names)
		if got == "" {
			return
		}
		if got == word {
			t.Errorf("Suggest(%q) is the word itself", word)
		}
		if !strings.Contains(known, got) {
			t.Errorf("Suggest(%q, %q) = %q, which is not known", word, names, got)
		}
	})
}
