package credentials

import "log/slog"

// Secret is a token. It shows itself to whoever asks with Reveal, and in no other way: not when it
// is printed, logged or encoded as JSON. The zero value is empty.
type Secret struct {
	// A pointer, since printing a struct with an unexported Secret calls no method of it.
	text *string
}

// NewSecret wraps a token.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the token.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no token.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return "[secret]"
}

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return s.String() }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
