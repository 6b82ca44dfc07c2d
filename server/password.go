package server

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a password: OWASP's second recommendation for argon2id.
const (
	argonMemory = 19 << 10 // KiB
	argonTime   = 2
	argonLanes  = 1
	argonSalt   = 16
	argonKey    = 32
)

// hashesAtOnce bounds the memory that signing in can take.
const hashesAtOnce = 2

// maxPassword bounds a password, in bytes.
const maxPassword = 1024

// hasher makes and checks password hashes, a few at a time.
type hasher struct {
	slots chan struct{}
	rand  io.Reader
}

func newHasher(random io.Reader) *hasher {
	return &hasher{slots: make(chan struct{}, hashesAtOnce), rand: random}
}

// hash returns the encoded form $argon2id$v=19$m=…,t=…,p=…$SALT$KEY.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := io.ReadFull(h.rand, salt); err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	key, err := h.derive(ctx, password, salt, argonTime, argonMemory, argonLanes)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes, enc(salt), enc(key)), nil
}

// verify tells whether password belongs to encoded. An encoded form that
// cannot be read belongs to no password, but costs as much.
func (h *hasher) verify(ctx context.Context, password, encoded string) (bool, error) {
	salt, want, t, m, p, ok := decodeHash(encoded)
	if !ok {
		salt, want, t, m, p = make([]byte, argonSalt), make([]byte, argonKey), argonTime, argonMemory, argonLanes
	}
	got, err := h.derive(ctx, password, salt, t, m, p)
	if err != nil {
		return false, err
	}
	return ok && subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (h *hasher) derive(ctx context.Context, password string, salt []byte, t, m uint32, p uint8) ([]byte, error) {
	if len(password) > maxPassword {
		return nil, fmt.Errorf("the password has more than %d bytes: %w", maxPassword, ErrInvalid)
	}
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(password), salt, t, m, p, argonKey), nil
}

func decodeHash(s string) (salt, key []byte, t, m uint32, p uint8, ok bool) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, nil, 0, 0, 0, false
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &m, &t, &p); err != nil || n != 3 || t == 0 || p == 0 || m > 1<<20 || t > 100 {
		return nil, nil, 0, 0, 0, false
	}
	salt, errSalt := base64.RawStdEncoding.DecodeString(parts[4])
	key, errKey := base64.RawStdEncoding.DecodeString(parts[5])
	return salt, key, t, m, p, errSalt == nil && errKey == nil && len(key) == argonKey
}
