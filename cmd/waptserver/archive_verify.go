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

// verification is what `archive verify --json` prints. The check ends at the
// first thing that is not right: what was not reached is left out, since
// nothing is known of it.
type verification struct {
	Verified    bool      `json:"verified"`
	Error       string    `json:"error,omitempty"`
	Algorithm   string    `json:"algorithm,omitempty"` // of the digest
	Digest      string    `json:"digest,omitempty"`    // that the file has
	Signed      string    `json:"signed_digest,omitempty"`
	DigestOK    *bool     `json:"digest_ok,omitempty"`
	SignatureOK *bool     `json:"signature_ok,omitempty"`
	Anchored    *bool     `json:"anchored,omitempty"`
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
	if errors.Is(err, authenticode.ErrSHA1) {
		err = fmt.Errorf("%w; for a file from before 2020 use --allow-sha1", err)
	}
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
	v.DigestOK = reached(r.DigestOK, r.Digest != nil)
	v.SignatureOK = reached(r.SignatureOK, r.DigestOK)
	v.Anchored = reached(r.Chain.Anchored, len(r.Chain.Certificates) > 0)
	v.SHA1, v.Program = r.SHA1, r.Program
	v.Anchor, v.Needs, v.Chain = r.Chain.Anchor, r.Chain.Needs, names(r.Chain.Certificates)
	if r.Signer != nil {
		v.Signer, v.NotBefore, v.NotAfter = commonName(r.Signer), r.Signer.NotBefore.UTC(), r.Signer.NotAfter.UTC()
	}
	if r.Timestamp != nil {
		v.Timestamp, v.Kind, v.By, v.ByAnchor = r.Timestamp.Time, r.Timestamp.Kind, commonName(r.Timestamp.Authority), r.Timestamp.Chain.Anchor
	}
	return v
}

// reached is ok, or nil when the check ended before it.
func reached(ok, reached bool) *bool {
	if !reached {
		return nil
	}
	return &ok
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
		line("digest", "%s", found(v.DigestOK, v.Algorithm+" "+v.Digest+": the one that was signed",
			v.Algorithm+" "+v.Digest+": NOT the signed one, "+v.Signed, "not checked; "+v.Algorithm+" "+v.Signed+" was signed"))
		line("signer", "%s", v.Signer)
		line("certificate", "valid from %s to %s", v.NotBefore.Format("2006-01-02 15:04 MST"), v.NotAfter.Format("2006-01-02 15:04 MST"))
		line("program", "%s", v.Program)
		line("signature", "%s", found(v.SignatureOK, "made with the signer's key", "NOT confirmed", "not checked"))
		line("chain", "%s", found(v.Anchored, "leads to "+v.Anchor, "leads to no anchor; it needs "+v.Needs, "not checked"))
	}
	switch {
	case !v.Timestamp.IsZero():
		line("signed at", "%s (%s timestamp by %s)", v.Timestamp.Format("2006-01-02 15:04:05 MST"), v.Kind, v.By)
	case v.Anchored != nil: // timestamps are looked at before the chain
		line("signed at", "not known: no timestamp")
	case v.Algorithm != "":
		line("signed at", "not checked")
	}
	if v.SHA1 {
		line("note", "SHA-1 was accepted, as asked; such a signature can be forged")
	}
	line("result", "%s", found(&v.Verified, "verified", "NOT verified", ""))
	return nil
}

// found says how something was found to be.
func found(ok *bool, yes, no, notReached string) string {
	switch {
	case ok == nil:
		return notReached
	case *ok:
		return yes
	}
	return no
}
