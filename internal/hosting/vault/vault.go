// Package vault keeps the variables of apps encrypted on the disk of "party host", and says which can be kept.
//
// The key is a file beside them, for the host's user alone. So a copy of an app's folder, or a backup of the disk that
// leaves the key out, tells nothing; who reads files as the host's user can read everything. It knows no apps and
// no API.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

const keyBytes = 32

// Vault encrypts with one key. It is safe for concurrent use.
type Vault struct{ seal cipher.AEAD }

// Open reads the key in a file, and makes one if there is no file. It refuses a key that others may read.
func Open(path string) (*Vault, error) {
	key, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("key of the variables: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key of the variables: %w", err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("key of the variables: %w", err)
	}
	return &Vault{seal}, nil
}

func readKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others may read %s: chmod 600 it, and change what was encrypted with it", path)
	}
	key, err := os.ReadFile(path)
	if err == nil && len(key) != keyBytes {
		err = fmt.Errorf("%s has %d bytes, not %d: restore it from a backup, or remove it and set all variables again", path, len(key), keyBytes)
	}
	return key, err
}

func makeKey(path string) ([]byte, error) {
	key := make([]byte, keyBytes)
	rand.Read(key) // it never fails
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = file.Write(key)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	return key, nil
}

// Seal encrypts variables. Only for the same owner can they be opened again.
func (v *Vault) Seal(owner string, vars map[string]string) ([]byte, error) {
	text, err := json.Marshal(vars)
	if err != nil {
		return nil, errors.New("encrypt the variables: they are not text") // without their values
	}
	return v.seal.Seal(nil, nil, text, []byte(owner)), nil
}

// Open decrypts what Seal has made; of no bytes, no variables.
func (v *Vault) Open(owner string, sealed []byte) (map[string]string, error) {
	vars := make(map[string]string)
	if len(sealed) == 0 {
		return vars, nil
	}
	text, err := v.seal.Open(nil, nil, sealed, []byte(owner))
	if err != nil {
		return nil, fmt.Errorf("decrypt the variables of %s: they were encrypted with another key, or changed: set them again", owner)
	}
	if err := json.Unmarshal(text, &vars); err != nil {
		return nil, fmt.Errorf("decrypt the variables of %s: there is no JSON in it", owner)
	}
	return vars, nil
}
