package authsign

import (
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"time"

	"github.com/smallstep/pkcs7"
)

var (
	oidTSTInfo            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSigningCertificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47} // version 2
	oidTestPolicy         = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1}         // of the arc for documentation
)

// tstInfo is TSTInfo of RFC 3161.
type tstInfo struct {
	Version        int
	Policy         asn1.ObjectIdentifier
	MessageImprint struct {
		Algorithm algorithm
		Digest    []byte
	}
	SerialNumber *big.Int
	GenTime      time.Time `asn1:"generalized"`
}

// timestamp is a token that says that signature existed now.
func (a *Authority) timestamp(signature []byte) ([]byte, error) {
	sum := sha256.Sum256(signature)
	info := tstInfo{Version: 1, Policy: oidTestPolicy, SerialNumber: big.NewInt(1), GenTime: a.now().UTC().Truncate(time.Second)}
	info.MessageImprint.Algorithm = sha256Algorithm()
	info.MessageImprint.Digest = sum[:]
	content, err := asn1.Marshal(info)
	if err != nil {
		return nil, err
	}
	essence, err := signingCertificate(a.TSA.Certificate.Raw)
	if err != nil {
		return nil, err
	}
	sd, err := pkcs7.NewSignedData(content)
	if err != nil {
		return nil, err
	}
	sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	raw := sd.GetSignedData()
	raw.Version = 3
	raw.ContentInfo.ContentType = oidTSTInfo
	attributes := pkcs7.SignerInfoConfig{ExtraSignedAttributes: []pkcs7.Attribute{{Type: oidSigningCertificate, Value: asn1.RawValue{FullBytes: essence}}}}
	if err := sd.AddSigner(a.TSA.Certificate, a.TSA.Key, attributes); err != nil {
		return nil, err
	}
	sd.AddCertificate(a.Root)
	return sd.Finish()
}

// signingCertificate is SigningCertificateV2: which certificate it is whose
// key signed the token.
func signingCertificate(der []byte) ([]byte, error) {
	sum := sha256.Sum256(der)
	type certID struct{ Hash []byte }
	return asn1.Marshal(struct{ Certs []certID }{[]certID{{sum[:]}}})
}
