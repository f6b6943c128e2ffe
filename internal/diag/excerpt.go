package diag

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

const (
	tabWidth     = 4    // cells from one tab stop to the next
	excerptWidth = 100  // cells of a source line that are shown at most
	excerptBytes = 2000 // bytes on either side of the column that are looked at
)

// cluster is what stands in one or more cells of a terminal and cannot be cut.
type cluster struct {
	text  string
	width int // in cells
}

// excerpt returns a source line as it is shown, and the number of cells before
// the caret that stands under the given column (bytes, from 1). Tabs become
// spaces, what a terminal would act on becomes a visible mark, and of a long
// line only the part around the column is left.
func excerpt(line string, column int) (shown string, caret int) {
	column = min(max(column, 1), len(line)+1)
	from := runeStart(line, column-1-excerptBytes)
	to := runeStart(line, column-1+excerptBytes)
	clusters, at := split(line[from:to], column-1-from)

	// Two thirds of the room are for what stands before the caret, unless there
	// is less of it or less after it.
	first, last, used := at, at, 0
	before := func(room int) {
		for first > 0 && used+clusters[first-1].width <= room {
			first--
			used += clusters[first].width
		}
	}
	before(excerptWidth * 2 / 3)
	for last < len(clusters) && used+clusters[last].width <= excerptWidth {
		used += clusters[last].width
		last++
	}
	before(excerptWidth)

	var b strings.Builder
	if from > 0 || first > 0 {
		b.WriteString("…")
		caret = 1
	}
	for i, c := range clusters[first:last] {
		if first+i < at {
			caret += c.width
		}
		b.WriteString(c.text)
	}
	if to < len(line) || last < len(clusters) {
		b.WriteString("…")
	}
	return strings.TrimRight(b.String(), " "), caret
}

// split returns the clusters of s, and the index of the one that holds the
// byte at offset; behind the last one that index is their number.
func split(s string, offset int) (clusters []cluster, at int) {
	cells, state, at := 0, -1, -1
	for rest, done := s, 0; rest != ""; {
		var c cluster
		c.text, rest, c.width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if done += len(c.text); at < 0 && offset < done {
			at = len(clusters)
		}
		if c.text == "\t" {
			c.width = tabWidth - cells%tabWidth
			c.text = strings.Repeat(" ", c.width)
		} else if p := printable(c.text); p != c.text {
			c = cluster{p, uniseg.StringWidth(p)}
		}
		cells += c.width
		clusters = append(clusters, c)
	}
	if at < 0 {
		at = len(clusters)
	}
	return clusters, at
}

// runeStart returns i, kept inside s and moved back to where a character begins.
func runeStart(s string, i int) int {
	if i <= 0 || i >= len(s) {
		return min(max(i, 0), len(s))
	}
	for back := range min(utf8.UTFMax, i) {
		if utf8.RuneStart(s[i-back]) {
			return i - back
		}
	}
	return i // not text
}

// printable replaces what a terminal would act on, or not show, by a mark.
func printable(s string) string {
	const joiner = '\u200d' // part of many emoji
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r), r == joiner:
			return r
		case unicode.IsSpace(r):
			return ' '
		default:
			return utf8.RuneError
		}
	}, s)
}
