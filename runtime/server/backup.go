//go:build !party_host

package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

func runBackup(v *invocation) int {
	set := v.flagSet("backup", "FILE")
	data := dataFlag(set)
	args, code, ok := v.parse(set, 1)
	if !ok {
		return code
	}
	began := time.Now()
	switch err := sqlite.Backup(v.ctx, filepath.Join(*data, StoreFile), args[0]); {
	case errors.Is(err, fs.ErrNotExist):
		return v.fail(fmt.Errorf("%w: is %s the --data folder of the server, and the folder of the backup there?", err, *data))
	case err != nil:
		return v.fail(err)
	}
	info, err := os.Stat(args[0])
	if err != nil {
		return v.fail(err)
	}
	fmt.Fprintf(v.stdout, "backed up to %s: %.1f MB, in %v\n", args[0], float64(info.Size())/1e6, time.Since(began).Round(time.Millisecond))
	return 0
}

func runRestore(v *invocation) int {
	set := v.flagSet("restore", "FILE")
	data := dataFlag(set)
	force := set.Bool("force", false, "put it in the place of what is stored, which is kept beside it as "+StoreFile+".replaced")
	args, code, ok := v.parse(set, 1)
	if !ok {
		return code
	}
	store := filepath.Join(*data, StoreFile)
	switch err := sqlite.Restore(args[0], store, sqlite.RestoreOptions{Replace: *force}); {
	case errors.Is(err, sqlite.ErrExists):
		return v.fail(fmt.Errorf("%w: --force replaces it", err))
	case errors.Is(err, storage.ErrLocked):
		return v.fail(fmt.Errorf("stop the server first, --force does not help: %w", err))
	case err != nil:
		return v.fail(err)
	}
	fmt.Fprintf(v.stdout, "restored %s to %s\n", args[0], store)
	return 0
}
