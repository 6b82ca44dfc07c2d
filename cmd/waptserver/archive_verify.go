package main

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/authenticode"
)

// verification is what `archive verify --json` prints.
type verification struct {
	Verified    bool      `json:"verified"`
	Error       string    `json:"error,omitempty"`
	Algorithm   string    `json:"algorithm,omitempty"` // of the digest
	Digest      string    `json:"digest,omitempty"`    // that the file has
	Signed      string    `json:"signed_digest,omitempty"`
	DigestOK    bool      `json:"digest_ok"`
	SignatureOK bool      `json:"signature_ok"`
	Anchored    bool      `json:"anchored"`
	Anchor      string    `json:"anchor,omitempty"`
	Needs       string    `json:"needs,omitempty"` // what the chain lacks
	Signer      string    `json:"signer,omitempty"`
	Chain       []string  `json:"chain,omitempty"`
	NotBefore   time.Time `json:"certificate_not_before,omitzero"`
	NotAfter    time.Time `json:"certificate_not_after,omitzero"`
	Program     string    `json:"program,omitempty"`
	Timestamp   time.Time `json:"timestamp,omitzero"`
	Kind        string    `json:"timestamp_kind,omitempty"`
	By          string    `json:"timestamp_by,omitempty"`
	ByAnchor    string    `json:"timestamp_anchor,omitempty"`
	SHA1        bool      `json:"sha1"` // SHA-1 had to be accepted
}

func newArchiveVerifyCommand(l *limits) *cobra.Command {
	var asJSON, allowSHA1 bool
	var roots string
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check the Authenticode signature of a scan archive or cabinet",
		Long: `Checks that the file is what was signed, who signed it, and that the signer's
certificate leads to one of Microsoft's that are known here by their digests,
or to one in the PEM file --roots. Nothing is fetched and no store of the
system is asked. A trusted timestamp lets a signature outlive its certificates.

Files from before 2020 are signed with SHA-1, which can be forged; --allow-sha1
accepts it.

Exit status: 0 when the signature is right, 4 when it is missing or not right,
1 when the file cannot be read.`,
		Example: `  waptserver archive verify wsusscn2.cab
  waptserver archive verify --allow-sha1 WSUSSCAN.cab
  waptserver archive verify --roots authority.pem --json generated.cab`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := authenticode.Options{AllowSHA1: allowSHA1, At: time.Now(), Limits: l.signature}
			if roots != "" {
				var err error
				if o.Roots, err = loadCertificates(roots); err != nil {
					return err
				}
			}
			return verifyArchive(cmd.OutOrStdout(), args[0], o, asJSON)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.BoolVar(&allowSHA1, "allow-sha1", false, "accept SHA-1, for files from before 2020")
	f.StringVar(&roots, "roots", "", "PEM `file` of the roots to trust instead of Microsoft's")
	return cmd
}

func verifyArchive(w io.Writer, path string, o authenticode.Options, asJSON bool) error {
	f, size, err := openRegular(path)
	if err != nil {
		return err
	}
	defer f.Close()
	res, err := authenticode.Verify(f, size, o)
	v := newVerification(res, err)
	if asJSON {
		if jerr := json.NewEncoder(w).Encode(v); jerr != nil {
			return jerr
		}
	} else if perr := v.print(w); perr != nil {
		return perr
	}
	if err != nil && (errors.Is(err, waptwua.ErrNotTrusted) || errors.Is(err, waptwua.ErrDigest) || errors.Is(err, waptwua.ErrLimit)) {
		return &statusError{fmt.Errorf("%s: %w", path, err), statusNotTrusted}
	}
	return err
}

func newVerification(r *authenticode.Result, err error) *verification {
	v := &verification{Verified: err == nil}
	if err != nil {
		v.Error = err.Error()
	}
	if r == nil {
		return v
	}
	v.Algorithm, v.Digest, v.Signed = r.Hash.String(), hex.EncodeToString(r.Digest), hex.EncodeToString(r.Claimed)
	v.DigestOK, v.SignatureOK, v.SHA1, v.Program = r.DigestOK, r.SignatureOK, r.SHA1, r.Program
	v.Anchored, v.Anchor, v.Needs, v.Chain = r.Chain.Anchored, r.Chain.Anchor, r.Chain.Needs, names(r.Chain.Certificates)
	if r.Signer != nil {
		v.Signer, v.NotBefore, v.NotAfter = commonName(r.Signer), r.Signer.NotBefore.UTC(), r.Signer.NotAfter.UTC()
	}
	if r.Timestamp != nil {
		v.Timestamp, v.Kind, v.By, v.ByAnchor = r.Timestamp.Time, r.Timestamp.Kind, commonName(r.Timestamp.Authority), r.Timestamp.Chain.Anchor
	}
	return v
}

func commonName(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return c.Subject.String()
}

func names(certs []*x509.Certificate) []string {
	out := make([]string, len(certs))
	for i, c := range certs {
		out[i] = commonName(c)
	}
	return out
}

func (v *verification) print(w io.Writer) error {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	if v.Algorithm != "" {
		line("digest", "%s %s: %s", v.Algorithm, v.Digest, okOr(v.DigestOK, "the one that was signed", "NOT the signed one, "+v.Signed))
		line("signer", "%s", v.Signer)
		line("certificate", "valid from %s to %s", v.NotBefore.Format("2006-01-02 15:04 MST"), v.NotAfter.Format("2006-01-02 15:04 MST"))
		line("program", "%s", v.Program)
		line("signature", "%s", okOr(v.SignatureOK, "made with the signer's key", "NOT confirmed"))
		line("chain", "%s", okOr(v.Anchored, "leads to "+v.Anchor, "leads to no anchor; it needs "+v.Needs))
	}
	if !v.Timestamp.IsZero() {
		line("signed at", "%s (%s timestamp by %s)", v.Timestamp.Format("2006-01-02 15:04:05 MST"), v.Kind, v.By)
	} else if v.Algorithm != "" {
		line("signed at", "not known: no timestamp")
	}
	if v.SHA1 {
		line("note", "SHA-1 was accepted, as asked; such a signature can be forged")
	}
	line("result", "%s", okOr(v.Verified, "verified", "NOT verified"))
	return nil
}

func okOr(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}
