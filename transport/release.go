package transport

// Releases of the agent.
//
// PathRelease answers the newest release as a DSSE envelope
// (signing.TypeRelease), with an ETag, or 404 where none is published.
// PathReleaseFiles + NAME is the program that the release names; Range and
// If-Range work, the entity tag is its SHA-256. The server only stores and
// hands out both: hosts verify them.
const (
	PathRelease      = "/agent/v1/release"
	PathReleaseFiles = "/agent/v1/release/"

	MaxRelease = 64 << 10 // bytes of the envelope
)
