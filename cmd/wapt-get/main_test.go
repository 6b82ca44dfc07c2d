package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"waptwua/agent/agenttest"
	"waptwua/agent/local"
	"waptwua/internal/fixture"
	"waptwua/internal/machines"
	"waptwua/internal/pki"
	"waptwua/signing"
	"waptwua/wua/native"
	"waptwua/wua/native/nativesim"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wapt-get": main})
}

// TestScripts runs the commands as people do, against a server that speaks
// the agents' protocol and the real archive of 2011.
func TestScripts(t *testing.T) {
	archive := fixture.Read(t, "offline-scan-2011/WSUSSCAN.cab")
	facts, err := machines.JSON("win7-sp1-x64")
	if err != nil {
		t.Fatal(err)
	}
	console := newConsole(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			server := agenttest.NewServer(t)
			server.SetArchive(archive)
			e.Values["server"] = server
			e.Setenv("SERVER", server.URL)
			e.Setenv("CONSOLE", console)
			e.Setenv("ARCHIVE", fixture.Path(t, "offline-scan-2011/WSUSSCAN.cab"))
			e.Setenv("FINGERPRINT", pki.Fingerprint(server.CA))
			for name, b := range map[string][]byte{"server-ca.pem": server.CAPEM(), "token.txt": []byte(agenttest.Token + "\n"), "machine.json": facts} {
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), b, 0o600); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"hand-out": handOut,
			"outage":   outage,
			"expand":   expand,
			"undo":     setStart(native.Automatic),
			"disable":  setStart(native.Disabled),

			"await-service": awaitService,
			"unpack":        unpack,
		},
	})
}

// newConsole takes uploads with the token "secret".
func newConsole(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"detail":"the token is unknown"}`)
			return
		}
		env, err := signing.Read(r.Body)
		if err != nil || env.PayloadType != signing.TypeRules || r.URL.Path != "/api/v1/rules" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		_, _ = io.WriteString(w, `{"name":"servers"}`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// handOut makes the server hand out signed rules.
func handOut(ts *testscript.TestScript, _ bool, args []string) {
	var envelopes []string
	for _, a := range args {
		envelopes = append(envelopes, ts.ReadFile(a))
	}
	ts.Value("server").(*agenttest.Server).SetRules(envelopes...)
}

// outage makes the server refuse everything from now on.
func outage(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Value("server").(*agenttest.Server).Refuse(func(http.ResponseWriter, *http.Request) int { return http.StatusServiceUnavailable })
}

// setStart sets the start mode of a simulated service, as others may.
func setStart(mode native.Start) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		ts.Check(nativesim.Open(ts.MkAbs("simulator/native.json")).SetStart(context.Background(), args[0], mode))
	}
}

// awaitService waits until the service of a dbdir answers.
func awaitService(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(serviceAnswers(context.Background(), ts.MkAbs(args[0])))
}

// serviceAnswers returns when the service of a dbdir answers.
func serviceAnswers(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c := local.NewClient(local.Users(dir))
	defer c.Close()
	for {
		_, err := c.Overview(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the service does not answer: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// unpack writes the files of a bundle, one after the other, into a file.
func unpack(ts *testscript.TestScript, _ bool, args []string) {
	z, err := zip.OpenReader(ts.MkAbs(args[0]))
	ts.Check(err)
	defer z.Close()
	var all bytes.Buffer
	for _, f := range z.File {
		r, err := f.Open()
		ts.Check(err)
		fmt.Fprintf(&all, "== %s\n", f.Name)
		_, err = all.ReadFrom(r)
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), all.Bytes(), 0o600))
}

// expand replaces $VARIABLES in a file.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
