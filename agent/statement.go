package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"waptwua"
	"waptwua/agent/cache"
	"waptwua/signing"
	"waptwua/transport"
	"waptwua/transport/client"
)

// Limits of a statement.
const (
	maxLeaves     = 500
	maxLeafFiles  = 500
	maxPayload    = 64 << 30 // bytes of one file
	maxNameLength = 1 << 10
)

// statement returns which files the update needs, as signed by the server
// for the archive in use: from the repository, or, when that cannot be
// reached, the one kept. waptwua.ErrNotFound says that the server does not
// know yet; ErrStale that it speaks about another archive.
func (op *operation) statement(ctx context.Context, id waptwua.UpdateID, a cache.Archive) (*transport.FilesStatement, error) {
	if op.cutOff {
		return op.keptStatement(id, a)
	}
	trust, err := op.serverSigner()
	if err != nil {
		return nil, err
	}
	c, err := op.server()
	if err != nil {
		return nil, err
	}
	text, err := c.ReadFile(ctx, id.String()+".json", transport.MaxFiles)
	if client.Temporary(err) {
		op.cutOff = true // asking for each update in turn would take for ever
		st, keptErr := op.keptStatement(id, a)
		if keptErr != nil {
			return nil, err
		}
		return st, nil
	}
	if err != nil {
		return nil, err
	}
	st, err := readStatement(text, id, a, trust, op.now())
	if err != nil {
		return nil, err
	}
	return st, op.cache.SetStatement(id, text)
}

// keptStatement is the statement in the cache.
func (op *operation) keptStatement(id waptwua.UpdateID, a cache.Archive) (*transport.FilesStatement, error) {
	trust, err := op.serverSigner()
	if err != nil {
		return nil, err
	}
	text, err := op.cache.Statement(id)
	if err != nil {
		return nil, err
	}
	return readStatement(text, id, a, trust, op.now())
}

func readStatement(text []byte, id waptwua.UpdateID, a cache.Archive, trust *signing.Trust, now time.Time) (*transport.FilesStatement, error) {
	env, err := signing.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("files of %s: %w", id, err)
	}
	v, err := trust.Verify(env, signing.TypeFiles, now)
	if err != nil {
		return nil, fmt.Errorf("files of %s: %w", id, err)
	}
	var st transport.FilesStatement
	if err := json.Unmarshal(v.Payload, &st); err != nil {
		return nil, fmt.Errorf("files of %s: %w", id, err)
	}
	if err := checkStatement(&st, id, a); err != nil {
		return nil, fmt.Errorf("files of %s: %w", id, err)
	}
	return &st, nil
}

// checkStatement refuses a statement for another update or archive, which
// somebody in between may have put in the place of the right one.
func checkStatement(st *transport.FilesStatement, id waptwua.UpdateID, a cache.Archive) error {
	if st.Update != id {
		return fmt.Errorf("the statement is about %s: %w", st.Update, waptwua.ErrNotTrusted)
	}
	// While Microsoft's own archive is in use, the server has signed nothing
	// newer than what it said about its last one.
	before := a.Direct && st.Archive == a.Before
	if a.Size > 0 && st.Archive != a.SHA256 && !before {
		return fmt.Errorf("the statement is for another scan archive (%.12s) than the one in use (%.12s): %w", st.Archive, a.SHA256, waptwua.ErrStale)
	}
	if len(st.Leaves) > maxLeaves {
		return fmt.Errorf("%d leaves, at most %d: %w", len(st.Leaves), maxLeaves, waptwua.ErrLimit)
	}
	for _, l := range st.Leaves {
		if len(l.Files) > maxLeafFiles {
			return fmt.Errorf("%d files, at most %d: %w", len(l.Files), maxLeafFiles, waptwua.ErrLimit)
		}
		for _, f := range l.Files {
			if f.Size < 0 || f.Size > maxPayload || len(f.Name) > maxNameLength || f.SHA1.IsZero() {
				return fmt.Errorf("file %.60q of %d bytes: %w", f.Name, f.Size, waptwua.ErrLimit)
			}
		}
	}
	return nil
}

// files lists the files of a statement, each once.
func files(st *transport.FilesStatement) []waptwua.File {
	var out []waptwua.File
	seen := map[string]bool{}
	for _, l := range st.Leaves {
		if l.Route == transport.RouteNone {
			continue
		}
		for _, f := range l.Files {
			if !seen[f.StoredName()] {
				seen[f.StoredName()] = true
				out = append(out, f)
			}
		}
	}
	return out
}
