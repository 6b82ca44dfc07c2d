package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"waptwua/server"
)

// StatusError is an answer of the API that is not a success.
type StatusError struct {
	Code int
	Body string
}

func (e *StatusError) Error() string { return fmt.Sprintf("status %d: %s", e.Code, e.Body) }

// Get asks the administration API; into may be nil.
func (s *System) Get(path string, into any) error { return s.Call(http.MethodGet, path, nil, into) }

// Post asks the administration API to do something.
func (s *System) Post(path string, body any) error {
	return s.Call(http.MethodPost, path, body, nil)
}

// Call sends body, which is JSON already when it is a []byte, and decodes the
// answer into into; both may be nil. Answers other than 2xx are *StatusError.
func (s *System) Call(method, path string, body, into any) error {
	raw, ok := body.([]byte)
	if !ok && body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.Console+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %w", method, path, &StatusError{resp.StatusCode, string(b)})
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(b, into)
}

// must ends the test when the API does not answer.
func (s *System) must(path string, into any) {
	s.t.Helper()
	if err := s.Get(path, into); err != nil {
		s.t.Fatal(err)
	}
}

// Summary is the fleet in figures.
func (s *System) Summary() (v server.Summary) {
	s.t.Helper()
	s.must("/api/v1/summary", &v)
	return v
}

// Host is one host as the server shows it.
func (s *System) Host(uuid string) (v server.HostDetail) {
	s.t.Helper()
	s.must("/api/v1/hosts/"+uuid, &v)
	return v
}

// Runs are the latest runs of a job, the latest first.
func (s *System) Runs(job server.Job) []server.RunView {
	s.t.Helper()
	var v server.List[server.RunView]
	s.must("/api/v1/runs?limit=1000&kind="+string(job), &v)
	return v.Items
}

// Downloads are the download tasks, the latest first.
func (s *System) Downloads() []server.DownloadView {
	s.t.Helper()
	var v server.List[server.DownloadView]
	s.must("/api/v1/downloads?limit=1000", &v)
	return v.Items
}

// Now asks for a run of a job now. One that is queued or running already will
// do as well.
func (s *System) Now(job server.Job) {
	s.t.Helper()
	err := s.Post("/api/v1/runs", map[string]server.Job{"kind": job})
	var status *StatusError
	if err != nil && !(errors.As(err, &status) && status.Code == http.StatusConflict) {
		s.t.Fatal(err)
	}
}

// WaitCatalogue waits until an archive is published and its catalogue is
// loaded.
func (s *System) WaitCatalogue() server.ArchiveView {
	s.t.Helper()
	var a server.ArchiveView
	Until(s.t, time.Minute, func() (bool, string) {
		a = server.ArchiveView{}
		err := s.Get("/api/v1/archive", &a)
		return err == nil && a.Loaded, fmt.Sprintf("archive %+v, %v", a, err)
	})
	return a
}
