package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"waptwua"
	"waptwua/blob"
	"waptwua/notify"
	"waptwua/signing"
	"waptwua/store"
	"waptwua/transport"
)

// describePage is how many updates are described in one transaction.
const describePage = 200

// catalogues holds the catalogue of the published archive, once it is loaded.
type catalogues struct {
	*base
	shelf    blob.Store
	archiver Archiver
	loader   Loader
	signer   *signing.Signer

	loading sync.Mutex // one load at a time

	mu      sync.Mutex
	cat     Catalogue
	archive waptwua.Archive
	stated  map[waptwua.UpdateID]waptwua.SHA256 // archive of the statement that is published
}

// current returns the catalogue, or nil before the first is loaded.
func (c *catalogues) current() Catalogue {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cat
}

// published describes the archive that hosts get; ok is false before the first.
func (c *catalogues) published(ctx context.Context) (waptwua.Archive, bool) {
	c.mu.Lock()
	a := c.archive
	c.mu.Unlock()
	if !a.SHA256.IsZero() {
		return a, true
	}
	a, err := c.archiver.Published(ctx)
	if err != nil {
		if !errors.Is(err, waptwua.ErrNotFound) {
			c.log.WarnContext(ctx, "published archive not readable", "err", err)
		}
		return a, false
	}
	c.setArchive(a)
	return a, true
}

func (c *catalogues) setArchive(a waptwua.Archive) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.archive = a
}

// load brings the catalogue to the published archive. It returns
// waptwua.ErrUnchanged when it is there already, ErrNotFound without an archive.
func (c *catalogues) load(ctx context.Context) error {
	c.loading.Lock()
	defer c.loading.Unlock()
	a, err := c.archiver.Published(ctx)
	if err != nil {
		return err
	}
	c.setArchive(a)
	if cat := c.current(); cat != nil && cat.Archive() == a.SHA256 {
		return waptwua.ErrUnchanged
	}
	start := c.now()
	cat, err := c.loader.Load(ctx)
	if err != nil {
		return fmt.Errorf("loading the catalogue: %w", err)
	}
	c.mu.Lock()
	c.cat = cat
	c.mu.Unlock()
	c.log.InfoContext(ctx, "catalogue loaded", "archive", a.SHA256, "duration", c.now().Sub(start))
	return nil
}

// describe gives updates that hosts reported their description and files
// from the catalogue, where these come from another archive or from none.
func (c *catalogues) describe(ctx context.Context, cat Catalogue) (int, error) {
	archive := cat.Archive().String()
	count := 0
	for after := (waptwua.UpdateID{}); ; {
		us, err := c.store.OutdatedUpdates(ctx, archive, after, describePage)
		if err != nil || len(us) == 0 {
			return count, err
		}
		err = c.store.Update(ctx, func(tx store.Records) error { return c.describePage(ctx, tx, cat, us) })
		if err != nil {
			return count, fmt.Errorf("describing updates: %w", err)
		}
		count += len(us)
		after = us[len(us)-1].ID()
		c.changed(ctx, notify.Hosts)
	}
}

func (c *catalogues) describePage(ctx context.Context, tx store.Records, cat Catalogue, us []store.Update) error {
	for i := range us {
		u := &us[i]
		u.Archive = cat.Archive().String()
		about, ok := cat.Update(u.ID())
		if !ok {
			continue // what an earlier archive or a host said stays
		}
		setAbout(u, about)
		if err := c.setFiles(ctx, tx, u.ID(), cat.Leaves(u.ID())); err != nil {
			return err
		}
	}
	return tx.DescribeUpdates(ctx, us)
}

// setFiles records the files of an update. Those that lie on the shelf
// already, for another update or from before, are present at once.
func (c *catalogues) setFiles(ctx context.Context, tx store.Records, id waptwua.UpdateID, leaves []transport.LeafFiles) error {
	var files []waptwua.File
	for _, l := range leaves {
		files = append(files, l.Files...)
	}
	if err := tx.SetUpdateFiles(ctx, id, files, c.now()); err != nil {
		return err
	}
	for _, f := range files {
		if c.onShelf(ctx, f) {
			if err := tx.SetPresence(ctx, f.StoredName(), c.now()); err != nil {
				return err
			}
		}
	}
	return nil
}

// onShelf tells whether a file lies there with its size. Its digest was
// checked when it came and is checked again by clean-up.
func (c *catalogues) onShelf(ctx context.Context, f waptwua.File) bool {
	info, err := c.shelf.Stat(ctx, f.StoredName())
	return err == nil && (f.Size <= 0 || info.Size == f.Size)
}

// setAbout takes over a description.
func setAbout(u *store.Update, about waptwua.Update) {
	about.ID = u.ID()
	u.About, u.Described = about, true
	u.Title, u.Severity, u.Published = clean(about.Title, 1000), string(about.Severity), about.Published
	var kbs strings.Builder
	for _, kb := range about.KBs {
		kbs.WriteString(" " + kb.String() + " ")
	}
	u.KBs = kbs.String()
	u.Products, u.Classifications = store.Names(cleanAll(about.Products)), store.Names(cleanAll(about.Classifications))
}

// describeByHost takes descriptions from a host for updates that have none.
func describeByHost(ctx context.Context, tx store.Records, about []waptwua.Update) error {
	byID := make(map[waptwua.UpdateID]waptwua.Update, len(about))
	ids := make([]waptwua.UpdateID, 0, len(about))
	for _, a := range about {
		byID[a.ID] = a
		ids = append(ids, a.ID)
	}
	unknown, err := tx.Undescribed(ctx, ids)
	if err != nil {
		return err
	}
	us := make([]store.Update, 0, len(unknown))
	for _, id := range unknown {
		u := store.Update{GUID: id.GUID, Revision: id.Revision}
		setAbout(&u, cleanAbout(byID[id]))
		us = append(us, u)
	}
	return tx.DescribeUpdates(ctx, us)
}

// cleanAbout bounds what a host says about an update.
func cleanAbout(a waptwua.Update) waptwua.Update {
	a.Title, a.Type, a.Handler = clean(a.Title, 1000), clean(a.Type, 100), clean(a.Handler, 100)
	a.Severity, a.Reboot = waptwua.Severity(clean(string(a.Severity), 50)), waptwua.Reboot(clean(string(a.Reboot), 50))
	a.MoreInfoURL, a.SupportURL = clean(a.MoreInfoURL, 1000), clean(a.SupportURL, 1000)
	for _, list := range []*[]string{&a.Classifications, &a.Products, &a.CategoryIDs, &a.Bulletins, &a.CVEs, &a.Supersedes} {
		*list = cleanAll(*list)
	}
	return a
}

func cleanAll(list []string) []string {
	const most = 500
	list = list[:min(most, len(list))]
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = clean(s, 200)
	}
	return out
}

// statementName is the name under which the statement of an update lies on the shelf.
func statementName(id waptwua.UpdateID) string { return id.String() + ".json" }

// publishStatement signs and publishes which files an update needs, unless
// the statement on the shelf says so already. It tells whether it wrote one.
func (c *catalogues) publishStatement(ctx context.Context, cat Catalogue, id waptwua.UpdateID) (bool, error) {
	leaves := cat.Leaves(id)
	if len(leaves) == 0 {
		return false, nil // the archive lacks it; an older statement stays true of its files
	}
	if c.isStated(ctx, cat, id) {
		return false, nil
	}
	about, _ := cat.Update(id)
	st := transport.FilesStatement{
		Update: id, Archive: cat.Archive(), Created: c.now().UTC().Truncate(time.Second), Title: clean(about.Title, 500), Leaves: leaves,
	}
	payload, err := json.Marshal(st)
	if err != nil {
		return false, fmt.Errorf("statement of update %s: %w", id, err)
	}
	env, err := signing.Sign(signing.TypeFiles, payload, c.signer)
	if err != nil {
		return false, fmt.Errorf("statement of update %s: %w", id, err)
	}
	text, err := env.Encode()
	if err != nil {
		return false, fmt.Errorf("statement of update %s: %w", id, err)
	}
	if len(text) > transport.MaxFiles {
		return false, fmt.Errorf("statement of update %s has %d bytes: %w", id, len(text), waptwua.ErrLimit)
	}
	if err := c.shelf.Put(ctx, statementName(id), text); err != nil {
		return false, err
	}
	c.noteStated(id, cat.Archive())
	return true, nil
}

// isStated looks into memory, and after a restart at the shelf.
func (c *catalogues) isStated(ctx context.Context, cat Catalogue, id waptwua.UpdateID) bool {
	c.mu.Lock()
	a, ok := c.stated[id]
	c.mu.Unlock()
	if ok {
		return a == cat.Archive()
	}
	f, _, err := c.shelf.Open(ctx, statementName(id))
	if err != nil {
		return false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, transport.MaxFiles))
	if err != nil {
		return false
	}
	env, err := signing.Decode(text)
	if err != nil {
		return false
	}
	v, err := signing.NewTrust(c.signer.Certificate()).Verify(env, signing.TypeFiles, c.now())
	if err != nil {
		return false // by an older key of this server, or not ours
	}
	var st transport.FilesStatement
	if json.Unmarshal(v.Payload, &st) != nil || st.Archive != cat.Archive() || st.Update != id {
		return false
	}
	c.noteStated(id, st.Archive)
	return true
}

func (c *catalogues) noteStated(id waptwua.UpdateID, archive waptwua.SHA256) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stated == nil {
		c.stated = map[waptwua.UpdateID]waptwua.SHA256{}
	}
	c.stated[id] = archive
}

// forgetStatement removes the statement of an update.
func (c *catalogues) forgetStatement(ctx context.Context, id waptwua.UpdateID) error {
	c.mu.Lock()
	delete(c.stated, id)
	c.mu.Unlock()
	return c.shelf.Remove(ctx, statementName(id))
}
