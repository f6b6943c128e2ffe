package dataform

import (
	"fmt"
	"slices"
)

// Reads says why a value of the form f cannot read all that was stored in the form stored; "" if it
// can. Whoever reads may know fields that were not stored. What is unknown, or encodes itself under the same
// name, is taken to be all right.
func (f Form) Reads(stored Form) string {
	switch {
	case f.Kind == "unknown" || stored.Kind == "unknown" || f.Kind == "any", f.Kind == "number" && stored.Kind == "int":
		return ""
	case f.Kind != stored.Kind:
		return fmt.Sprintf("it was %s and is %s", stored.words(), f.words())
	case f.Name != stored.Name && f.Kind != "again":
		return fmt.Sprintf("it was written by %s and is read by %s", stored.Name, f.Name)
	case f.Kind == "list" || f.Kind == "map":
		if why := f.Elem.Reads(*stored.Elem); why != "" {
			return "in its elements " + why
		}
	case f.Kind == "struct":
		return f.readsFields(stored)
	}
	return ""
}

func (f Form) readsFields(stored Form) string {
	for _, old := range stored.Fields {
		at := slices.IndexFunc(f.Fields, func(now Field) bool { return now.Name == old.Name })
		if at < 0 {
			return fmt.Sprintf("it had %q, which it has no more", old.Name)
		}
		if why := f.Fields[at].Form.Reads(old.Form); why != "" {
			return fmt.Sprintf("in its %q %s", old.Name, why)
		}
	}
	return ""
}

// words says a form for people.
func (f Form) words() string {
	switch f.Kind {
	case "int":
		return "an int"
	case "string", "bool", "number", "time":
		return "a " + f.Kind
	case "list", "map":
		return "a " + f.Kind
	case "struct":
		return "an object"
	case "text", "json":
		return "what " + f.Name + " writes"
	case "again":
		return f.Name + " again"
	case "any":
		return "anything"
	}
	return f.Kind
}
