package server

import (
	"log/slog"
	"os"
)

// logEnv is the environment variable by which a platform tells its host how to log.
const logEnv = "PARTY_HOST_LOG"

// Log formats, for --log-format.
const (
	logText = "text"
	logJSON = "json"
)

// logAs makes everything that is logged by log/slog or log have a format. Text is what it is without this.
func logAs(format string) {
	if format == logJSON {
		slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	}
}
