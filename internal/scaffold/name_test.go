package scaffold

import (
	"errors"
	"strings"
	"testing"
)

func TestCleanName(t *testing.T) {
	tests := map[string]string{
		"chat":                    "chat",
		"My Chat_2":               "my-chat-2",
		"--a..b--":                "a-b",
		"":                        "party-app",
		"日本":                      "party-app",
		"public":                  "public-app",
		"Ünder":                   "nder",
		strings.Repeat("ab-", 40): strings.TrimSuffix(strings.Repeat("ab-", 21), "-"),
	}
	for in, want := range tests {
		if got := CleanName(in); got != want {
			t.Errorf("CleanName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "chat", "chat-2", strings.Repeat("x", maxName)} {
		if err := CheckName(name); err != nil {
			t.Errorf("CheckName(%q): %v", name, err)
		}
	}
	for _, name := range []string{"", "Chat", "a b", "-a", "a-", "a--b", "public", "a/b", "..", strings.Repeat("x", maxName+1)} {
		var nameErr *NameError
		if err := CheckName(name); !errors.As(err, &nameErr) {
			t.Errorf("CheckName(%q) = %v, want a NameError", name, err)
		} else if err := CheckName(nameErr.Suggestion); err != nil {
			t.Errorf("the suggestion for %q: %v", name, err)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	f.Add("My Chat")
	f.Add("public")
	f.Fuzz(func(t *testing.T, text string) {
		if err := CheckName(CleanName(text)); err != nil {
			t.Errorf("CleanName(%q): %v", text, err)
		}
	})
}
