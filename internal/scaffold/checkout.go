package scaffold

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Module is the path of this project's module.
const Module = "github.com/goparty-dev/party"

// CheckoutEnv is the environment variable that names the checkout, for a CLI
// that does not know where it was built.
const CheckoutEnv = "PARTY_CHECKOUT"

// Checkout is a copy of this project's sources.
type Checkout struct {
	Dir string // absolute
	Go  string // the language version in its go.mod: "1.26"
}

// FindCheckout returns the checkout that CheckoutEnv names, or else the one
// that the running program was built from. The error wraps ErrNoCheckout if
// there is none.
func FindCheckout(ctx context.Context) (Checkout, error) {
	how, dir := CheckoutEnv+" names", os.Getenv(CheckoutEnv)
	if dir == "" {
		_, file, _, _ := runtime.Caller(0)
		how = "this party was built from"
		var err error
		if dir, err = rootOf(file); err != nil {
			return Checkout{}, err
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Checkout{}, fmt.Errorf("find the checkout: %w", err)
	}
	file := filepath.Join(dir, "go.mod")
	if _, err := os.Stat(file); err != nil {
		return Checkout{}, fmt.Errorf("%w: %s %s, which has no go.mod; set %s to a checkout", ErrNoCheckout, how, dir, CheckoutEnv)
	}
	var mod struct {
		Go     string
		Module struct{ Path string }
	}
	out, err := run(ctx, dir, nil, "mod", "edit", "-json", file)
	if err == nil {
		err = json.Unmarshal(out, &mod)
	}
	if err != nil {
		return Checkout{}, fmt.Errorf("read %s: %w", file, err)
	}
	if mod.Module.Path != Module {
		return Checkout{}, fmt.Errorf("%w: %s %s, which is the module %s; set %s to a checkout", ErrNoCheckout, how, dir, mod.Module.Path, CheckoutEnv)
	}
	return Checkout{Dir: dir, Go: mod.Go}, nil
}

// rootOf returns the folder of the module that this file is in, given where
// the compiler found the file.
func rootOf(file string) (string, error) {
	// Built with -trimpath, the file is named by its import path.
	if !filepath.IsAbs(file) {
		return "", fmt.Errorf("%w: this party was built without the path of its sources (-trimpath); set %s to a checkout", ErrNoCheckout, CheckoutEnv)
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(file))), nil
}

// run runs the go command in dir and returns what it prints.
func run(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("the go command is not on the PATH; party needs it to build programs")
	}
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}
