package authsign

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"time"

	"github.com/smallstep/pkcs7"
)

var (
	oidRFC3161            = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 3, 3, 1}
	oidCounterSignature   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}
	oidTSTInfo            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSigningCertificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47} // version 2
	oidTestPolicy         = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1}         // of the arc for documentation
)

// attributeCertificate stands for the old attribute certificate ([1], with
// any content) that Microsoft's timestamps carry beside the usual ones.
var attributeCertificate = []byte{0xa1, 0x04, 0x30, 0x02, 0x05, 0x00}

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

// addTimestamp adds to the signature in sd what o asks for.
func (a *Authority) addTimestamp(sd *pkcs7.SignedData, o Options) error {
	if o.NoTimestamp {
		return nil
	}
	if o.TSA.Certificate == nil {
		o.TSA = a.TSA
	}
	oid, stamp := oidRFC3161, a.token
	if o.Countersign {
		oid, stamp = oidCounterSignature, a.countersignature
		sd.AddCertificate(o.TSA.Certificate) // it has no certificates of its own
	}
	info := &sd.GetSignedData().SignerInfos[0]
	value, err := stamp(info.EncryptedDigest, o.TSA)
	if err != nil {
		return err
	}
	return info.SetUnauthenticatedAttributes([]pkcs7.Attribute{{Type: oid, Value: asn1.RawValue{FullBytes: value}}})
}

// countersignature is a bare SignerInfo that signs signature now.
func (a *Authority) countersignature(signature []byte, tsa Identity) ([]byte, error) {
	sd, err := pkcs7.NewSignedData(signature)
	if err != nil {
		return nil, err
	}
	sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := addSigner(sd, tsa, nil, a.now()); err != nil {
		return nil, err
	}
	return asn1.Marshal(sd.GetSignedData().SignerInfos[0])
}

// token says, in the form of RFC 3161, that signature existed now.
func (a *Authority) token(signature []byte, tsa Identity) ([]byte, error) {
	sum := sha256.Sum256(signature)
	info := tstInfo{Version: 1, Policy: oidTestPolicy, SerialNumber: big.NewInt(1), GenTime: a.now().UTC().Truncate(time.Second)}
	info.MessageImprint.Algorithm = sha256Algorithm()
	info.MessageImprint.Digest = sum[:]
	content, err := asn1.Marshal(info)
	if err != nil {
		return nil, err
	}
	essence, err := signingCertificate(tsa.Certificate.Raw)
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
	attributes := []pkcs7.Attribute{{Type: oidSigningCertificate, Value: asn1.RawValue{FullBytes: essence}}}
	if err := addSigner(sd, tsa, attributes, a.now()); err != nil {
		return nil, err
	}
	sd.AddCertificate(a.Root)
	sd.AddCertificate(&x509.Certificate{Raw: attributeCertificate})
	return sd.Finish()
}

// signingCertificate is SigningCertificateV2: which certificate it is whose
// key signed the token.
func signingCertificate(der []byte) ([]byte, error) {
	sum := sha256.Sum256(der)
	type certID struct{ Hash []byte }
	return asn1.Marshal(struct{ Certs []certID }{[]certID{{sum[:]}}})
}
