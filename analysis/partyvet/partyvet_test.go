package partyvet_test

import (
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/goparty-dev/party/analysis/partyvet"
)

func TestAnalyzers(t *testing.T) {
	for folder, a := range map[string]*analysis.Analyzer{
		"blocking": partyvet.Blocking, "goroutine": partyvet.Goroutine, "global": partyvet.Global, "keptconn": partyvet.KeptConn, "changeddata": partyvet.ChangedData,
	} {
		t.Run(folder, func(t *testing.T) { analysistest.Run(t, analysistest.TestData(), a, folder) })
	}
}

func TestValid(t *testing.T) {
	if err := analysis.Validate(partyvet.Analyzers); err != nil {
		t.Error(err)
	}
}
