package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/youmark/pkcs8"
)

// KeyType names a kind of key as settings and command lines write it.
type KeyType string

// The kinds of keys that are made here.
const (
	ECDSAP256 KeyType = "ecdsa-p256"
	RSA3072   KeyType = "rsa-3072"
)

// minRSA is the least size, in bits, of an RSA key that is accepted.
const minRSA = 3072

const (
	blockKey          = "PRIVATE KEY"
	blockEncryptedKey = "ENCRYPTED PRIVATE KEY"
)

// maxPEM bounds a PEM file, in bytes.
const maxPEM = 1 << 20

// kdfIterations follows OWASP's figure for PBKDF2 with HMAC-SHA-256.
const kdfIterations = 600_000

// GenerateKey makes a private key; "" means ECDSAP256.
func GenerateKey(t KeyType) (crypto.Signer, error) {
	switch t {
	case ECDSAP256, "":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, minRSA)
	}
	return nil, fmt.Errorf("key type %q is unknown; use %s or %s", t, ECDSAP256, RSA3072)
}

// CheckPublicKey refuses keys that this project does not take: anything but
// ECDSA on P-256 and RSA from 3072 bits.
func CheckPublicKey(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return nil
		}
		return fmt.Errorf("key is ECDSA on %s; use ECDSA P-256 or RSA with at least %d bits", k.Curve.Params().Name, minRSA)
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < minRSA || n > 8192 {
			return fmt.Errorf("key is RSA with %d bits; use %d to 8192 bits, or ECDSA P-256", n, minRSA)
		}
		return nil
	}
	return fmt.Errorf("key is a %T; use ECDSA P-256 or RSA with at least %d bits", pub, minRSA)
}

// EncodeKey writes key as PKCS#8 PEM, encrypted unless password is empty.
func EncodeKey(key crypto.Signer, password []byte) ([]byte, error) {
	opts := pkcs8.Opts{
		Cipher:  pkcs8.AES256CBC,
		KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 16, IterationCount: kdfIterations, HMACHash: crypto.SHA256},
	}
	der, err := pkcs8.MarshalPrivateKey(key, password, &opts)
	if err != nil {
		return nil, fmt.Errorf("encoding a private key: %w", err)
	}
	name := blockKey
	if len(password) > 0 {
		name = blockEncryptedKey
	}
	return pem.EncodeToMemory(&pem.Block{Type: name, Bytes: der}), nil
}

// DecodeKey reads the first private key of a PEM file: PKCS#8, encrypted or
// not, or the older forms of OpenSSL without encryption. The password is
// ignored where the key is not encrypted; where it is missing or wrong the
// error is ErrPassword.
func DecodeKey(text, password []byte) (crypto.Signer, error) {
	if len(text) > maxPEM {
		return nil, fmt.Errorf("key file has %d bytes, more than a key can have", len(text))
	}
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		key, err := decodeKeyBlock(b, password)
		if err != nil {
			return nil, fmt.Errorf("reading a private key: %w", err)
		}
		if key == nil {
			continue
		}
		s, ok := key.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("reading a private key: a %T cannot sign", key)
		}
		if err := CheckPublicKey(s.Public()); err != nil {
			return nil, err
		}
		return s, nil
	}
	return nil, errors.New("no private key in the file; want a PEM block PRIVATE KEY or ENCRYPTED PRIVATE KEY")
}

// decodeKeyBlock gives nil for a block that is not a key.
func decodeKeyBlock(b *pem.Block, password []byte) (any, error) {
	switch b.Type {
	case blockKey:
		return x509.ParsePKCS8PrivateKey(b.Bytes)
	case blockEncryptedKey:
		return decrypt(b.Bytes, password)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(b.Bytes)
	case "RSA PRIVATE KEY":
		if b.Headers["DEK-Info"] != "" {
			return nil, errors.New("the key is encrypted in OpenSSL's old form; convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc")
		}
		return x509.ParsePKCS1PrivateKey(b.Bytes)
	}
	return nil, nil
}

func decrypt(der, password []byte) (any, error) {
	if len(password) == 0 {
		return nil, fmt.Errorf("the key is encrypted: %w", ErrPassword)
	}
	key, err := pkcs8.ParsePKCS8PrivateKey(der, password)
	if err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrPassword, err)
	}
	return key, nil
}
