package manifest

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestFormatEnvIsReadable(t *testing.T) {
	got := string(FormatEnv(map[string]string{"B": "two words", "A": "it's \"$5\"\nand more"}))
	want := `A="it's \"\$5\"\nand more"` + "\n" + `B="two words"` + "\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func FuzzFormatEnvRoundTrip(f *testing.F) {
	for _, seed := range []string{"", "plain", `a\b\n\\`, "\"'`$#", "two\nlines\r\n\tend\n", "\ufeffmark", "\\"} {
		f.Add(seed, "second")
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		want := map[string]string{"ONE": one, "two.x": two}
		for _, v := range want {
			if !utf8.ValidString(v) || strings.Contains(v, "\x00") {
				t.Skip("not text")
			}
		}
		got, list := ParseEnv(".env", FormatEnv(want))
		if diff := cmp.Diff(got, want); diff != "" || len(list) > 0 {
			t.Errorf("-got +want:\n%s%v", diff, list)
		}
	})
}
