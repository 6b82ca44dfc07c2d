package agenttest

import (
	"net/http"
)

// releaseName is where SetRelease puts the envelope among the files.
const releaseName = "release.json"

// SetRelease makes the server offer a release of the agent; its programs are
// put there with SetFile.
func (s *Server) SetRelease(envelope []byte) { s.SetFile(releaseName, envelope) }

func (s *Server) release(w http.ResponseWriter, r *http.Request) {
	r.SetPathValue("name", releaseName)
	s.file(w, r)
}
