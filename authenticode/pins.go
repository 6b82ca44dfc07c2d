package authenticode

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"

	"waptwua"
)

// Pin is a certificate of Microsoft that is known by its digest.
type Pin struct {
	Name   string // common name
	SHA256 string // of the DER encoding, lower-case hexadecimal
	SHA1   string // the thumbprint that Windows shows, upper case
	Root   bool   // self-signed
}

// Pins returns the certificates that are trusted when Options.Roots is
// empty.
//
// The three roots were compared with those in Debian's libwine 8.0, whose
// SHA-1 thumbprints are the ones that Microsoft publishes. The issuing
// certificates came out of files of Microsoft (a scan archive of 2011, a
// library of 2025); their signatures by those roots were verified. They are
// here because Microsoft's signatures bring issuing certificates along, but
// no root: with them most files verify on a machine that has no root of
// Microsoft. A file under an issuing certificate that is not listed needs
// the root as a PEM file.
func Pins() []Pin {
	return []Pin{
		{"Microsoft Root Certificate Authority", "885de64c340e3ea70658f01e1145f957fcda27aabeea1ab9faa9fdb0102d4077", "CDD4EEAE6000AC7F40C3802C171E30148030C072", true},
		{"Microsoft Root Certificate Authority 2010", "df545bf919a2439c36983b54cdfc903dfa4f37d3996d8d84b4c31eec6f3c163e", "3B1EFD3A66EA28B16697394703A72CA340A05BD5", true},
		{"Microsoft Root Certificate Authority 2011", "847df6a78497943f27fc72eb93f9a637320a02b561d0a91b09e87a7807ed7c61", "8F43288AD272F3103B6FB1428485EA3014C0BCFE", true},
		{"Microsoft Code Signing PCA", "930c1e42359239558adce064b019473db84dd09b9f3fc6586d099dc222a5a392", "FDD1314ED3268A95E198603BA8316FA63CBCD82D", false},
		{"Microsoft Time-Stamp PCA", "4f987bbe4e0d1dcf48fcefc9239ac6e62ee9df38cac2d32993b8533cd95c2e49", "375FCB825C3DC3752A02E34EB70993B4997191EF", false},
		{"Microsoft Code Signing PCA 2011", "56da8722afd94066ffe1e4595473a4854892b843a0827d53fb7d8f4aeed1e18b", "F252E794FE438E35ACE6E53762C0A234A2C52135", false},
		{"Microsoft Time-Stamp PCA 2010", "ebec1edd9e140d9c105cc62b15a915c5443ddc514a35e5773c09afb0274c7ba5", "36056A5662DCADECF82CC14C8B80EC5E0BCC59A6", false},
	}
}

// PinnedRoots returns certs when each of them is pinned. Use it on
// certificates that were downloaded as Microsoft's: what is not known by its
// digest is refused instead of trusted.
func PinnedRoots(certs []*x509.Certificate) ([]*x509.Certificate, error) {
	for _, c := range certs {
		if _, ok := pinOf(c); !ok {
			return nil, fmt.Errorf("certificate %q is not one of Microsoft's that are known here: %w", name(c), waptwua.ErrNotTrusted)
		}
	}
	return certs, nil
}

func pinOf(c *x509.Certificate) (Pin, bool) {
	sum := sha256.Sum256(c.Raw)
	digest := hex.EncodeToString(sum[:])
	for _, p := range Pins() {
		if p.SHA256 == digest {
			return p, true
		}
	}
	return Pin{}, false
}
