package console

import (
	"fmt"
	"os/exec"
	"runtime"
)

// OpenBrowser shows a page in the user's browser. It does not wait for it.
func OpenBrowser(url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("open %s: %w", url, err)
	}
	go func() { _ = cmd.Wait() }() // so that it leaves no zombie; how it ends is the browser's affair
	return nil
}
