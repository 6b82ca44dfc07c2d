package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"waptwua"
	"waptwua/store"
)

// auditPage is how many entries are read at once.
const auditPage = 500

// audited runs fn in a transaction that also writes down who did what.
func (b *base) audited(ctx context.Context, action, subject, detail string, fn func(tx store.Records) error) error {
	return b.store.Update(ctx, func(tx store.Records) error {
		if err := fn(tx); err != nil {
			return err
		}
		return b.append(ctx, tx, action, subject, detail)
	})
}

// append adds an entry to the chain.
func (b *base) append(ctx context.Context, tx store.Records, action, subject, detail string) error {
	last, err := tx.LastAudit(ctx)
	if err != nil && !errors.Is(err, waptwua.ErrNotFound) {
		return err
	}
	actor, ok := ActorOf(ctx)
	if !ok {
		actor.Name = "server"
	}
	e := store.AuditEntry{
		Seq: last.Seq + 1, At: b.now().UTC().Truncate(time.Microsecond),
		Actor: clean(actor.Name, 200), Action: action, Subject: clean(subject, 300), Detail: clean(detail, 2000), Prev: last.Hash,
	}
	if e.Hash, err = auditHash(e); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, e)
}

// auditHash is the digest of an entry and, by Prev, of all before it.
func auditHash(e store.AuditEntry) (string, error) {
	text, err := json.Marshal([]any{e.Seq, e.At.UTC().Format(time.RFC3339Nano), e.Actor, e.Action, e.Subject, e.Detail, e.Prev})
	if err != nil {
		return "", fmt.Errorf("digest of audit entry %d: %w", e.Seq, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// VerifyAudit goes through the chain and returns its length and the digest at
// its end. An entry that was changed, removed or put in gives an error that
// wraps waptwua.ErrDigest and names it.
func (u *Upkeep) VerifyAudit(ctx context.Context) (entries int64, head string, err error) {
	for {
		page, err := u.store.ListAudit(ctx, entries, auditPage)
		if err != nil {
			return entries, head, err
		}
		for _, e := range page {
			want, err := auditHash(e)
			if err != nil {
				return entries, head, err
			}
			if e.Seq != entries+1 || e.Prev != head || e.Hash != want {
				return entries, head, fmt.Errorf("audit entry %d does not follow from the one before: %w", e.Seq, waptwua.ErrDigest)
			}
			entries, head = e.Seq, e.Hash
		}
		if len(page) < auditPage {
			return entries, head, nil
		}
	}
}
