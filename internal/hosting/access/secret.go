package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// A secret is "party_" ID "_" KEY: 8 bytes in hexadecimal by which the token is found, and 32 random
// bytes in URL-safe base64 that prove it. The prefix lets scanners of repositories know one when they see it.
const (
	secretPrefix = "party_"
	idBytes      = 8
	keyBytes     = 32
)

// newSecret makes a token's ID, its secret, and what is kept of it.
func newSecret() (id, secret string, hash []byte) {
	var raw [idBytes + keyBytes]byte
	rand.Read(raw[:]) // it never fails
	id = hex.EncodeToString(raw[:idBytes])
	secret = secretPrefix + id + "_" + base64.RawURLEncoding.EncodeToString(raw[idBytes:])
	return id, secret, hashOf(secret)
}

// idOf returns the ID in a secret, if it has the form of one.
func idOf(secret string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok || len(rest) != 2*idBytes+1+base64.RawURLEncoding.EncodedLen(keyBytes) || rest[2*idBytes] != '_' {
		return "", false
	}
	return rest[:2*idBytes], true
}

// hashOf is what is kept of a secret. It is as random as a key can be, so a fast hash cannot be searched.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// same compares a hash to that of a secret in constant time.
func same(hash []byte, secret string) bool {
	return subtle.ConstantTimeCompare(hash, hashOf(secret)) == 1
}
