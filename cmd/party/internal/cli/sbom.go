package cli

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/goparty-dev/party/internal/sbom"
)

// materials is the bill of a program that was built.
func materials(p *project, binary string, bundled []string) ([]byte, error) {
	created, err := sourceDate()
	if err != nil {
		return nil, err
	}
	info, _ := debug.ReadBuildInfo()
	return sbom.Make(sbom.Options{Binary: binary, Name: p.name(), Tool: version(info), Bundled: bundled, Created: created})
}

// writeBill writes a bill beside what it is about.
func writeBill(s *streams, output string, bill []byte) error {
	path := strings.TrimSuffix(strings.TrimSuffix(output, ".exe"), ".tar") + ".cdx.json"
	if err := os.WriteFile(path, bill, 0o644); err != nil {
		return fmt.Errorf("write the bill of materials: %w", err)
	}
	s.printf("Wrote %s, a CycloneDX bill of materials\n", shown(path))
	return nil
}
