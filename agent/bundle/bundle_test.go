package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waptwua/internal/pki"
)

// unpack returns the files of a bundle.
func unpack(t *testing.T, b []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(content)
	}
	return files
}

func TestScrubber(t *testing.T) {
	s := NewScrubber(`
[global]
http_proxy = http://proxyuser:pr%40xy"pw@proxy.example.org:3128
enrolment_token: "Tok3n-from-ini"
[other]
my_Password=correct horse battery
broken line
`)
	key := "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"
	for _, c := range []struct{ in, want string }{
		{"using http://proxyuser:pr%40xy\"pw@proxy.example.org:3128", "using http://(left out)@proxy.example.org:3128"},
		{`password is pr@xy"pw, in JSON pr@xy\"pw`, "password is (left out), in JSON (left out)"},
		{"got Tok3n-from-ini", "got (left out)"},
		{"said correct horse battery aloud", "said (left out) aloud"},
		{"before " + key + " after", "before (left out) after"},
		{"cut off -----BEGIN PRIVATE KEY-----\nMIGH", "cut off (left out)"},
		{"Authorization: Bearer eyJhbGciOi.x-y_z", "Authorization: Bearer (left out)"},
		{`{"api_token":"abc123"}`, `{"api_token":"(left out)"}`},
		{"GET /x?token=abc&n=1", "GET /x?token=(left out)&n=1"},
		{"https://someone:else@host/path", "https://(left out)@host/path"},
		{"https://host/path and me@host", "https://host/path and me@host"},
		{"the key of the registry", "the key of the registry"},
	} {
		if got := s.Text(c.in); got != c.want {
			t.Errorf("%q\n became %q,\n want %q", c.in, got, c.want)
		}
	}
}

func TestBundle(t *testing.T) {
	dir := t.TempDir()
	private := filepath.Join(dir, "Private")
	if err := os.Mkdir(private, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"a.log": "one\ntoken=hunter22\n", "Private/host.key": "hunter22"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var buf bytes.Buffer
	w := NewWriter(&buf, NewScrubber("token = hunter22"), time.Unix(0, 0))
	err := errors.Join(
		w.File("a.log", filepath.Join(dir, "a.log")),
		w.File("none.log", filepath.Join(dir, "none.log")),
		w.File("host.key", filepath.Join(private, "host.key")),
		w.File("dir", dir),
		w.JSON("status.json", nil, errors.New("hunter22 is wrong")),
		w.JSON("info.json", map[string]string{"word": "hunter22"}, nil),
		w.Tree("files.txt", dir),
	)
	parts, closeErr := w.Close()
	if err != nil || closeErr != nil {
		t.Fatal(err, closeErr)
	}
	files := unpack(t, buf.Bytes())
	for name, content := range files {
		if strings.Contains(content, "hunter22") {
			t.Errorf("%s holds a secret: %s", name, content)
		}
	}
	for _, name := range []string{"a.log", "info.json", "files.txt", "contents.txt"} {
		if files[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	if len(files) != 4 || len(parts) != 6 {
		t.Errorf("files %v, parts %v", files, parts)
	}
	if !strings.Contains(files["contents.txt"], "host.key: ") || !strings.Contains(files["contents.txt"], "is private") {
		t.Errorf("contents: %s", files["contents.txt"])
	}
}

func TestOnlyTheNewest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.log")
	line := strings.Repeat("x", 999) + "\n"
	if err := os.WriteFile(path, []byte(strings.Repeat(line, MaxPart/1000+1000)+"the last\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w := NewWriter(&buf, NewScrubber(""), time.Unix(0, 0))
	for n := range 15 {
		if err := w.File(fmt.Sprintf("%d.log", n), path); err != nil {
			t.Fatal(err)
		}
	}
	parts, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	total, full := 0, 0
	for _, p := range parts {
		total += p.Size
		if p.Error != "" {
			full++
		} else if p.Note == "" {
			t.Errorf("nothing says that %s is cut", p.Name)
		}
	}
	if total > MaxTotal || full == 0 {
		t.Errorf("%d bytes, %d parts left out", total, full)
	}
	first := unpack(t, buf.Bytes())["0.log"]
	if len(first) > MaxPart || !strings.HasPrefix(first, "xxx") || !strings.HasSuffix(first, "\nthe last\n") {
		t.Errorf("%d bytes, from %.10q", len(first), first)
	}
}

// FuzzScrub: a planted secret is never found again, whatever stands around it.
func FuzzScrub(f *testing.F) {
	f.Add("http_proxy = http://u:", "s3cret!pw", "@host", " and more")
	f.Add("my_token = ", "abcd", "", "abcd abcdabcd")
	f.Fuzz(func(t *testing.T, before, secret, after, text string) {
		secret = strings.Map(func(r rune) rune {
			if r <= ' ' || strings.ContainsRune(`/@:=()"'\`, r) || r > 126 {
				return -1
			}
			return r
		}, secret)
		if len(secret) < minSecret || strings.Contains(Mark, secret) {
			return
		}
		s := NewScrubber("api_token = " + secret + "\n" + before + after)
		got := s.Text(text + secret + after + secret + text)
		if strings.Contains(strings.ReplaceAll(got, Mark, " "), secret) {
			t.Errorf("%q is in %q", secret, got)
		}
	})
}

// TestRealKey: a key as this project writes it.
func TestRealKey(t *testing.T) {
	key, err := pki.GenerateKey("")
	if err != nil {
		t.Fatal(err)
	}
	pem, err := pki.EncodeKey(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := NewScrubber("").Text("key: " + string(pem)); strings.Contains(got, "PRIVATE") {
		t.Error(got)
	}
}
