package diag

import "strings"

// Suggest returns the known name that word was most likely meant to be, or ""
// if none is close. Case, hyphens and underscores count for nothing; besides
// them one slip in a short word and up to three in a long one are forgiven, two
// swapped letters being one slip. Of equally near names the first wins.
func Suggest(word string, known []string) string {
	// A long word is not a slip of anything, and the distance is quadratic.
	if len(word) > 100 {
		return ""
	}
	w := []rune(plain(word))
	best, nearest := "", slips(len(w))+1
	for _, name := range known {
		n := []rune(plain(name))
		if name == word || max(len(w)-len(n), len(n)-len(w)) >= nearest {
			continue
		}
		// Words that have nothing left in common are not near.
		if d := distance(w, n); d < nearest && d < min(len(w), len(n)) {
			best, nearest = name, d
		}
	}
	return best
}

func plain(s string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s))
}

// slips is how many are forgiven in a word of n letters.
func slips(n int) int {
	switch {
	case n <= 5:
		return 1
	case n <= 8:
		return 2
	default:
		return 3
	}
}

// distance counts the insertions, deletions, substitutions and swaps of
// neighbours that turn a into b, no letter being touched twice.
func distance(a, b []rune) int {
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}

// DidYouMean is Suggest as a hint: a question, or "" when no name is close.
func DidYouMean(word string, known []string) string {
	s := Suggest(word, known)
	if s == "" {
		return ""
	}
	return `did you mean "` + s + `"?`
}
