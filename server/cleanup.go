package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"waptwua"
	"waptwua/blob"
	"waptwua/notify"
	"waptwua/store"
	"waptwua/transport"
)

// Cleaned is the outcome of a run of JobCleanUp.
type Cleaned struct {
	Damaged    int   `json:"damaged"`    // files with a wrong digest, removed
	Unneeded   int   `json:"unneeded"`   // files that no host needs, removed
	Statements int   `json:"statements"` // statements of updates that no host needs, removed
	Strangers  int   `json:"strangers"`  // payloads that belong to no known update, removed
	Bytes      int64 `json:"bytes"`      // freed
}

// CleanUp removes from the shelf, at once, files with a wrong digest, and
// after a grace period what no host needs, unless that is switched off.
// The archive and its digests are not touched, nor are files it does not
// know the names of.
func (u *Upkeep) CleanUp(ctx context.Context, reason string) error {
	return u.run(ctx, JobCleanUp, reason, func(ctx context.Context, _ *recorder) (string, any, error) {
		var c Cleaned
		if err := u.cleanDamaged(ctx, &c); err != nil {
			return "", c, err
		}
		if err := u.store.MarkUnneeded(ctx, u.now()); err != nil {
			return "", c, err
		}
		if u.set.CleanUp {
			if err := u.cleanUnneeded(ctx, &c); err != nil {
				return "", c, err
			}
			if err := u.cleanShelf(ctx, &c); err != nil {
				return "", c, err
			}
		}
		u.changed(ctx, notify.Files, notify.Hosts)
		return fmt.Sprintf("removed %d files and %d statements, %d bytes", c.Damaged+c.Unneeded+c.Strangers, c.Statements, c.Bytes), c, nil
	})
}

// cleanDamaged has wrong files removed and fetched anew where needed.
func (u *Upkeep) cleanDamaged(ctx context.Context, c *Cleaned) error {
	names, err := u.scrubber.Scrub(ctx)
	for _, name := range names {
		c.Damaged++
		u.log.WarnContext(ctx, "damaged file removed", "file", name)
		if err := u.store.SetPresence(ctx, name, time.Time{}); err != nil && !errors.Is(err, waptwua.ErrNotFound) {
			return err
		}
	}
	if len(names) > 0 {
		u.queue.Soon()
	}
	return err
}

// cleanUnneeded decides in one transaction with the needs of that moment and
// takes the files out of the records first: a kill in between leaves files
// that the next run finds, never a record without a file.
func (u *Upkeep) cleanUnneeded(ctx context.Context, c *Cleaned) error {
	var gone []store.File
	err := u.store.Update(ctx, func(tx store.Records) error {
		var err error
		gone, err = u.expel(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range gone {
		if err := u.catalogues.shelf.Remove(ctx, f.StoredName); err != nil {
			return err
		}
		c.Unneeded++
		c.Bytes += f.Size
	}
	_, err = u.store.ForgetFiles(ctx)
	return err
}

// expel marks present files that were not needed for too long as absent.
func (u *Upkeep) expel(ctx context.Context, tx store.Records) ([]store.File, error) {
	if err := tx.MarkUnneeded(ctx, u.now()); err != nil {
		return nil, err
	}
	files, err := tx.ListFiles(ctx)
	if err != nil {
		return nil, err
	}
	limit := u.now().Add(-u.set.CleanUpGrace)
	var gone []store.File
	for _, f := range files {
		if f.PresentAt.IsZero() || f.UnneededAt.IsZero() || f.UnneededAt.After(limit) {
			continue
		}
		if err := tx.SetPresence(ctx, f.StoredName, time.Time{}); err != nil {
			return nil, err
		}
		gone = append(gone, f)
	}
	return gone, nil
}

// cleanShelf removes statements of updates that nobody needs and payloads
// that belong to nothing, once they are older than the grace period.
func (u *Upkeep) cleanShelf(ctx context.Context, c *Cleaned) error {
	needed, err := u.neededIDs(ctx)
	if err != nil {
		return err
	}
	limit := u.now().Add(-u.set.CleanUpGrace)
	var old []blob.Info
	err = u.catalogues.shelf.List(ctx, func(i blob.Info) error {
		if i.Modified.Before(limit) && !strings.HasPrefix(i.Name, transport.ArchiveName) {
			old = append(old, i)
		}
		return nil
	})
	for _, i := range old {
		if err := u.cleanOne(ctx, i, needed, c); err != nil {
			return err
		}
	}
	return err
}

func (u *Upkeep) neededIDs(ctx context.Context) (map[waptwua.UpdateID]bool, error) {
	needs, err := u.store.NeededUpdates(ctx)
	if err != nil {
		return nil, err
	}
	ids := make(map[waptwua.UpdateID]bool, len(needs))
	for _, n := range needs {
		ids[n.ID()] = true
	}
	return ids, nil
}

func (u *Upkeep) cleanOne(ctx context.Context, i blob.Info, needed map[waptwua.UpdateID]bool, c *Cleaned) error {
	if text, ok := strings.CutSuffix(i.Name, ".json"); ok {
		id, err := waptwua.ParseUpdateID(text)
		if err != nil || needed[id] {
			return nil
		}
		c.Statements++
		return u.catalogues.forgetStatement(ctx, id)
	}
	if !isPayload(i.Name) {
		return nil
	}
	f, err := u.store.FindFile(ctx, i.Name)
	if err == nil && !f.PresentAt.IsZero() {
		return nil // a record decides about it
	}
	if err != nil && !errors.Is(err, waptwua.ErrNotFound) {
		return err
	}
	c.Strangers++
	c.Bytes += i.Size
	return u.catalogues.shelf.Remove(ctx, i.Name)
}

// isPayload tells whether a name is of the form of waptwua.File.StoredName.
func isPayload(name string) bool {
	sha, rest, ok := strings.Cut(name, "_")
	var d waptwua.SHA1
	return ok && rest != "" && d.UnmarshalText([]byte(sha)) == nil
}
