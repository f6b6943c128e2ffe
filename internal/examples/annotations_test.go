package examples

import (
	"testing"

	"github.com/goparty-dev/party/generator"
)

// TestAnnotations reads the annotations of the examples as "party generate" would, so that what is copied from here is right.
func TestAnnotations(t *testing.T) {
	res, err := generator.Generate(generator.Options{Dir: "."})
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Diagnostics.Err(); err != nil {
		t.Error(err)
	}
	if res.Model == nil || len(res.Model.Rooms) == 0 {
		t.Error("no room was found")
	}
}
