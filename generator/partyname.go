package generator

// PartyName returns the party name that a Go type has when nothing gives it
// another: kebab-case, HTTPRoom is http-room. It is "" for a type whose name
// cannot be one, for letters beyond ASCII.
func PartyName(typeName string) string { return kebab(typeName) }
