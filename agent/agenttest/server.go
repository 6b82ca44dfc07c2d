// Package agenttest holds what tests of the agent need: a server that speaks
// the agents' protocol over real TLS, and a Windows Update Agent without a
// Windows.
//
// The server keeps what it is told in memory and does nothing on its own: it
// signs no statement and fetches no file unless the test says so. The host
// offers the updates that the test gives it; it evaluates no rules and no
// archive. The real server, and a host that evaluates a real archive, are
// tested elsewhere.
//
// Imported by tests only.
package agenttest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"waptwua"
	"waptwua/internal/pki"
	"waptwua/signing"
	"waptwua/transport"
)

// Token is the enrolment token that the server takes, any number of times.
const Token = "let-me-in"

// Server is a server for tests. Set fields through With.
type Server struct {
	*httptest.Server
	CA     *x509.Certificate
	signer *signing.Signer
	issuer *pki.Authority

	mu       sync.Mutex
	files    map[string][]byte
	rules    []string
	held     map[string]*transport.State // by host
	seq      map[string]uint64
	requests []string // "METHOD path", in order
	refuse   func(http.ResponseWriter, *http.Request) int
	describe []waptwua.UpdateID
	about    []waptwua.Update
}

// validity of every certificate: tests move their clocks.
const validity = 10 * 365 * 24 * time.Hour

// NewServer starts a server; it ends with the test.
func NewServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{files: map[string][]byte{}, held: map[string]*transport.State{}, seq: map[string]uint64{}}
	ca, err := pki.NewServerAuthority("test server", validity, time.Now())
	check(t, err)
	s.CA = ca.Leaf()
	s.issuer, err = pki.NewAuthority(ca, time.Now)
	check(t, err)
	s.signer = s.newSigner(t)
	s.Server = httptest.NewUnstartedServer(s.handler())
	s.TLS = s.tls(t, ca)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *Server) newSigner(t testing.TB) *signing.Signer {
	key, err := pki.GenerateKey("")
	check(t, err)
	cert, err := s.issuer.IssueSigner(key.Public(), "test server files", validity)
	check(t, err)
	id, err := pki.NewIdentity(key, cert)
	check(t, err)
	signer, err := signing.NewSigner(id)
	check(t, err)
	return signer
}

func (s *Server) tls(t testing.TB, ca pki.Identity) *tls.Config {
	key, err := pki.GenerateKey("")
	check(t, err)
	cert, err := s.issuer.IssueServer(key.Public(), []string{"127.0.0.1"}, validity)
	check(t, err)
	id, err := pki.NewIdentity(key, cert, ca.Leaf())
	check(t, err)
	clients := x509.NewCertPool()
	clients.AddCert(ca.Leaf())
	return &tls.Config{Certificates: []tls.Certificate{id.TLS()}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clients}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// CAPEM is the server's CA in PEM.
func (s *Server) CAPEM() []byte { return pki.EncodeCertificates(s.CA) }

// SetArchive publishes an archive with its SHA-256 beside it.
func (s *Server) SetArchive(content []byte) {
	sum := waptwua.SHA256(sha256.Sum256(content))
	s.SetFile(transport.ArchiveName, content)
	s.SetFile(transport.ArchiveName+".sha256", []byte(sum.String()+"\n"))
}

// SetFile puts a file into the repository, or takes it away (nil).
func (s *Server) SetFile(name string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if content == nil {
		delete(s.files, name)
		return
	}
	s.files[name] = content
}

// FileOf describes content as a payload file.
func FileOf(name string, content []byte) waptwua.File {
	return waptwua.File{Name: name, Size: int64(len(content)), SHA1: sha1.Sum(content), SHA256: sha256.Sum256(content), URL: "http://download.windowsupdate.com/d/" + name}
}

// State publishes the statement that update id consists of one leaf, itself,
// with the given files, for the archive that is published now.
func (s *Server) State(t testing.TB, id waptwua.UpdateID, files ...waptwua.File) {
	t.Helper()
	s.StateLeaves(t, id, transport.LeafFiles{ID: id, Handler: "Cbs", Route: transport.RouteWUA, Files: files})
}

// StateLeaves publishes the statement that update id consists of leaves.
func (s *Server) StateLeaves(t testing.TB, id waptwua.UpdateID, leaves ...transport.LeafFiles) {
	t.Helper()
	s.StateTitled(t, id, "", leaves...)
}

// StateTitled publishes a statement with the update's title in English.
func (s *Server) StateTitled(t testing.TB, id waptwua.UpdateID, title string, leaves ...transport.LeafFiles) {
	t.Helper()
	payload, err := json.Marshal(transport.FilesStatement{Update: id, Archive: s.archive(), Created: time.Now().UTC(), Title: title, Leaves: leaves})
	check(t, err)
	s.Publish(t, id, payload, s.signer)
}

// Publish signs payload as the statement of id with any signer.
func (s *Server) Publish(t testing.TB, id waptwua.UpdateID, payload []byte, signer *signing.Signer) {
	t.Helper()
	env, err := signing.Sign(signing.TypeFiles, payload, signer)
	check(t, err)
	text, err := env.Encode()
	check(t, err)
	s.SetFile(id.String()+".json", text)
}

func (s *Server) archive() waptwua.SHA256 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sha256.Sum256(s.files[transport.ArchiveName])
}

// SetRules hands out these envelopes from now on.
func (s *Server) SetRules(envelopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = envelopes
}

// Refuse makes requests fail: f returns a status, or 0 to let one pass, and
// may set headers. nil ends that.
func (s *Server) Refuse(f func(http.ResponseWriter, *http.Request) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = f
}

// Describe makes the next answer to a report ask for descriptions.
func (s *Server) Describe(ids ...waptwua.UpdateID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.describe = ids
}

// About returns the descriptions that hosts have sent.
func (s *Server) About() []waptwua.Update {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.about
}

// Held is the state that host has reported; nil: none.
func (s *Server) Held(host string) *transport.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[host]
}

// Forget drops what is known of every host, as a server restored from an
// old backup does.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.held)
	clear(s.seq)
}

// Requests returns the requests since the last call.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests
	s.requests = nil
	return r
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+transport.PathEnrol, s.enrol)
	mux.HandleFunc("POST "+transport.PathReport, s.report)
	mux.HandleFunc("GET "+transport.PathRules, s.getRules)
	mux.HandleFunc("GET "+transport.PathFiles+"{name}", s.file)
	mux.HandleFunc("GET "+transport.PathRelease, s.release)
	mux.HandleFunc("GET "+transport.PathReleaseFiles+"{name}", s.file)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.Path)
		refuse := s.refuse
		s.mu.Unlock()
		if refuse != nil {
			if status := refuse(w, r); status != 0 {
				w.WriteHeader(status)
				return
			}
		}
		if r.URL.Path != transport.PathEnrol && len(r.TLS.VerifiedChains) == 0 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) enrol(w http.ResponseWriter, r *http.Request) {
	var req transport.EnrolRequest
	if json.NewDecoder(r.Body).Decode(&req) != nil || req.Token != Token {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"detail":"the token is unknown"}`)
		return
	}
	cert, err := s.issuer.IssueHost([]byte(req.CSR), req.Host.UUID, validity)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer(w, transport.EnrolResponse{Version: transport.Version, Certificate: string(pki.EncodeCertificates(cert)),
		CA: string(s.CAPEM()), Signing: string(pki.EncodeCertificates(s.signer.Certificate()))})
}

func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	host := r.TLS.VerifiedChains[0][0].Subject.CommonName
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = z
	}
	var rep transport.Report
	if err := json.NewDecoder(body).Decode(&rep); err != nil || rep.Seq == 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer(w, s.take(host, &rep))
}

// take does what the real server does with sequence numbers and digests.
func (s *Server) take(host string, r *transport.Report) transport.ReportAck {
	ack := transport.ReportAck{Version: transport.Version, Seq: s.seq[host]}
	if held := s.held[host]; held != nil && r.Seq <= s.seq[host] {
		ack.Digest, _ = held.Digest()
		return ack
	}
	next, err := transport.Apply(s.held[host], r)
	if err != nil {
		ack.NeedFull = true
		return ack
	}
	s.held[host], s.seq[host] = next, r.Seq
	s.about = append(s.about, r.About...)
	ack.Digest, ack.Seq, ack.Describe = r.Digest, r.Seq, s.describe
	s.describe = nil
	return ack
}

func (s *Server) getRules(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := waptwua.SHA256(sha256.Sum256([]byte(strings.Join(s.rules, "\n"))))
	etag := `"` + sum.String() + `"`
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	answer(w, transport.RuleSet{Version: transport.Version, Packages: s.rules})
}

func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	content, ok := s.files[r.PathValue("name")]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	sum := waptwua.SHA256(sha256.Sum256(content))
	w.Header().Set("ETag", `"`+sum.String()+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the agent sees a cut answer
}

// Files returns what the repository holds.
func (s *Server) Files() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.files)
}
