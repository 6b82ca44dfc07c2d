package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"waptwua"
	"waptwua/notify"
	"waptwua/store"
	"waptwua/transport"
)

// maxDescribe bounds how many descriptions one answer asks for.
const maxDescribe = 200

// Reports takes what hosts say.
type Reports struct {
	*base
	rules      *Rules
	catalogues *catalogues
	queue      Queue
}

// Ingest takes the report of the host that the caller has authenticated.
//
// The answer names the state that is held durably when it is given. NeedFull
// asks for a whole report: what is held is not what this one starts from. A
// report that is older than what is held, or comes a second time, changes
// nothing and is answered like the first. A report that exceeds a limit
// (waptwua.ErrLimit), makes no sense (ErrInvalid) or speaks for another host
// (waptwua.ErrForbidden) is refused as a whole.
func (s *Reports) Ingest(ctx context.Context, uuid string, r *transport.Report) (transport.ReportAck, error) {
	if err := s.check(r); err != nil {
		return transport.ReportAck{}, fmt.Errorf("report of host %s: %w", uuid, err)
	}
	ack := transport.ReportAck{Version: transport.Version}
	taken := false
	err := s.store.Update(ctx, func(tx store.Records) error {
		var err error
		ack.Digest, ack.Seq, taken, err = s.take(ctx, tx, uuid, r)
		return err
	})
	if errors.Is(err, errNeedFull) {
		ack.NeedFull, err = true, nil
	}
	if err != nil {
		return ack, fmt.Errorf("report of host %s: %w", uuid, err)
	}
	if taken {
		s.changed(ctx, notify.Hosts)
		s.queue.Soon()
	}
	return ack, s.complete(ctx, &ack, r)
}

// errNeedFull rolls back and asks for everything.
var errNeedFull = errors.New("the whole state is needed")

// take applies r in a transaction and returns the state then held.
func (s *Reports) take(ctx context.Context, tx store.Records, uuid string, r *transport.Report) (digest string, seq uint64, taken bool, err error) {
	h, err := tx.Host(ctx, uuid)
	if err != nil {
		return "", 0, false, err
	}
	if err := describeByHost(ctx, tx, r.About); err != nil {
		return "", 0, false, err
	}
	if h.Seq > 0 && r.Seq <= uint64(h.Seq) {
		return h.Digest, uint64(h.Seq), false, nil // again, or overtaken
	}
	base, err := held(ctx, tx, h)
	if err != nil {
		return "", 0, false, err
	}
	next, err := transport.Apply(base, r)
	if errors.Is(err, waptwua.ErrConflict) {
		return "", 0, false, errNeedFull
	}
	if err != nil {
		return "", 0, false, err
	}
	if next.Host.UUID != uuid {
		return "", 0, false, fmt.Errorf("it speaks for host %.80q: %w", next.Host.UUID, waptwua.ErrForbidden)
	}
	if err := s.write(ctx, tx, h, next, r); err != nil {
		return "", 0, false, err
	}
	return r.Digest, r.Seq, true, nil
}

// held rebuilds the state that the host's last report led to; nil: none.
func held(ctx context.Context, tx store.Records, h store.Host) (*transport.State, error) {
	if h.Head == "" {
		return nil, nil
	}
	var st transport.State
	if err := json.Unmarshal([]byte(h.Head), &st); err != nil {
		return nil, fmt.Errorf("the state held of host %s is damaged: %w", h.UUID, err)
	}
	rows, err := tx.HostUpdates(ctx, h.UUID)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if st.Updates == nil {
			st.Updates = make(map[waptwua.UpdateID]waptwua.OnHost, len(rows))
		}
		st.Updates[row.Record.ID] = row.Record
	}
	return &st, nil
}

// write stores the new state of host h.
func (s *Reports) write(ctx context.Context, tx store.Records, h store.Host, next *transport.State, r *transport.Report) error {
	put, err := s.rows(h.UUID, r.Changed)
	if err != nil {
		return err
	}
	if r.Base == "" {
		if err := tx.ClearHostUpdates(ctx, h.UUID); err != nil {
			return err
		}
	}
	if err := tx.ChangeHostUpdates(ctx, h.UUID, put, r.Removed); err != nil {
		return err
	}
	if err := tx.SeeUpdates(ctx, idsOf(r.Changed), s.now()); err != nil {
		return err
	}
	if h.Head, err = s.head(next); err != nil {
		return err
	}
	h.Seq, h.Digest, h.ReportedAt, h.LastSeen = int64(r.Seq), r.Digest, s.now(), s.now()
	h.Status, h.ScannedAt, h.ScanError = next.Status, next.Scan.At, ""
	if f := next.Scan.Error; f != nil {
		h.ScanError = clean(f.Sentence, 500)
		if h.ScanError == "" {
			h.ScanError = "the scan failed"
		}
	}
	describeHost(&h, next.Host)
	return tx.PutHost(ctx, h)
}

// head encodes the state without its updates, which have rows of their own.
func (s *Reports) head(next *transport.State) (string, error) {
	head := *next
	head.Updates = nil
	b, err := json.Marshal(&head)
	if err != nil {
		return "", fmt.Errorf("encoding the state: %w", err)
	}
	if len(b) > s.set.MaxHeadBytes {
		return "", fmt.Errorf("%d bytes besides the updates, at most %d are taken: %w", len(b), s.set.MaxHeadBytes, waptwua.ErrLimit)
	}
	return string(b), nil
}

// rows checks the updates of a report and makes rows of them.
func (s *Reports) rows(uuid string, us []waptwua.OnHost) ([]store.HostUpdate, error) {
	byID := make(map[waptwua.UpdateID]store.HostUpdate, len(us))
	for _, u := range us {
		if err := s.checkUpdate(u); err != nil {
			return nil, err
		}
		byID[u.ID] = store.NewHostUpdate(uuid, u) // the last one counts, as in transport.Apply
	}
	return slices.Collect(maps.Values(byID)), nil
}

func (s *Reports) checkUpdate(u waptwua.OnHost) error {
	if u.ID.IsZero() || !slices.Contains(statuses, u.Status) || !slices.Contains(decisions, u.Verdict.Decision) {
		return fmt.Errorf("update %s with status %.40q and decision %.40q: %w", u.ID, u.Status, u.Verdict.Decision, ErrInvalid)
	}
	if len(u.Steps) > waptwua.MaxSteps {
		return fmt.Errorf("update %s with %d steps, at most %d are taken: %w", u.ID, len(u.Steps), waptwua.MaxSteps, waptwua.ErrLimit)
	}
	b, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("update %s: %w: %w", u.ID, ErrInvalid, err)
	}
	if len(b) > s.set.MaxUpdateBytes {
		return fmt.Errorf("update %s with %d bytes, at most %d are taken: %w", u.ID, len(b), s.set.MaxUpdateBytes, waptwua.ErrLimit)
	}
	return nil
}

var statuses = []waptwua.Status{
	waptwua.StatusOK, waptwua.StatusPending, waptwua.StatusMissing, waptwua.StatusDiscarded,
	waptwua.StatusReboot, waptwua.StatusError, waptwua.StatusSuperseded,
}

// decisions may be empty: of an update that is installed, the rules need not be asked.
var decisions = []waptwua.Decision{waptwua.Allowed, waptwua.Denied, waptwua.Held, ""}

// check refuses reports that are too large or not understood.
func (s *Reports) check(r *transport.Report) error {
	switch {
	case r.Version != transport.Version:
		return fmt.Errorf("version %d of the messages; this server speaks version %d: %w", r.Version, transport.Version, ErrInvalid)
	case r.Seq == 0 || r.Seq > 1<<62:
		return fmt.Errorf("sequence number %d; they start at 1: %w", r.Seq, ErrInvalid)
	case r.Digest == "" || r.Base == "" && r.Head == nil:
		return fmt.Errorf("the digest or, in a whole report, the head is missing: %w", ErrInvalid)
	case len(r.Changed) > s.set.MaxReportUpdates || len(r.Removed) > s.set.MaxReportUpdates || len(r.About) > s.set.MaxReportUpdates:
		return fmt.Errorf("more than %d updates: %w", s.set.MaxReportUpdates, waptwua.ErrLimit)
	case r.Head != nil && len(r.Head.Updates) > 0:
		return fmt.Errorf("updates in the head: %w", ErrInvalid)
	}
	return nil
}

func idsOf(us []waptwua.OnHost) []waptwua.UpdateID {
	ids := make([]waptwua.UpdateID, 0, len(us))
	seen := make(map[waptwua.UpdateID]bool, len(us))
	for _, u := range us {
		if !seen[u.ID] {
			seen[u.ID] = true
			ids = append(ids, u.ID)
		}
	}
	return ids
}

// complete adds to the answer what the host should fetch or tell next.
func (s *Reports) complete(ctx context.Context, ack *transport.ReportAck, r *transport.Report) error {
	var err error
	if _, ack.RulesDigest, err = s.rules.Set(ctx); err != nil {
		return err
	}
	if a, ok := s.catalogues.published(ctx); ok {
		ack.Archive = a.SHA256
	}
	cat := s.catalogues.current()
	if cat == nil {
		return nil // it will know soon which updates nobody can describe
	}
	unknown, err := s.store.Undescribed(ctx, idsOf(r.Changed))
	if err != nil {
		return err
	}
	for _, id := range unknown {
		if _, ok := cat.Update(id); !ok && len(ack.Describe) < maxDescribe {
			ack.Describe = append(ack.Describe, id)
		}
	}
	return nil
}
