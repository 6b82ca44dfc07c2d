package signing

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"waptwua/internal/pki"
)

// webCrypto signs standard input with the SubtleCrypto that browsers have:
// node's is the same interface. The key is PKCS#8 in base64.
const webCrypto = `
const { subtle } = globalThis.crypto ?? require("crypto").webcrypto;
(async () => {
  const [, kind, key] = process.argv;
  const algorithm = kind === "ecdsa-p256"
    ? { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
    : { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const k = await subtle.importKey("pkcs8", Buffer.from(key, "base64"), algorithm, false, ["sign"]);
  const message = require("fs").readFileSync(0);
  process.stdout.write(Buffer.from(await subtle.sign(algorithm, k, message)).toString("base64"));
})();
`

// TestWebCryptoSigns holds the promise that a browser signs with its own
// means, without converting anything.
func TestWebCryptoSigns(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed, whose WebCrypto stands in for a browser's")
	}
	for _, kt := range []pki.KeyType{pki.ECDSAP256, pki.RSA3072} {
		t.Run(string(kt), func(t *testing.T) {
			s := administrator(t, "Alice", kt)
			env := sign(t, s)
			key, err := pki.EncodeKey(s.id.Key, nil)
			if err != nil {
				t.Fatal(err)
			}
			lines := bytes.Split(bytes.TrimSpace(key), []byte("\n"))
			cmd := exec.Command("node", "-e", webCrypto, string(kt), string(bytes.Join(lines[1:len(lines)-1], nil)))
			cmd.Stdin = bytes.NewReader(dsse.PAE(env.PayloadType, env.Payload))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if err := env.Signatures[0].Sig.UnmarshalText(out); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if _, err := NewTrust(s.Certificate()).Verify(env, TypeRules, now); err != nil {
				t.Error(err)
			}
		})
	}
}
