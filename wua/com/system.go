package com

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"waptwua/wua"
)

// History reads WUA's history.
func (h *Host) History(ctx context.Context, max int) ([]wua.HistoryEntry, error) {
	return serve(ctx, h, "history", func(s *session) ([]wua.HistoryEntry, error) { return s.history(max) })
}

func (s *session) history(limit int) (entries []wua.HistoryEntry, err error) {
	root, err := s.open(0)
	if err != nil {
		return nil, err
	}
	defer root.release()
	searcher, err := invoke(root, "CreateUpdateSearcher")
	if err != nil {
		return nil, err
	}
	defer searcher.release()
	total, err := searcher.call("GetTotalHistoryCount")
	if err != nil {
		return nil, err
	}
	n, ok := total.(int64)
	if !ok {
		drop(total)
		return nil, mismatch("GetTotalHistoryCount", total)
	}
	if n = min(n, int64(limit), maxItems); n <= 0 {
		return nil, nil // QueryHistory refuses to return nothing
	}
	list, err := invoke(searcher, "QueryHistory", 0, int(n))
	if err != nil {
		return nil, err
	}
	defer list.release()
	var unread error
	err = each(list, func(o object) error {
		e, err := historyEntry(o)
		if err == nil {
			entries = append(entries, e)
		}
		return err
	}, func(err error) { unread = err })
	if err == nil && len(entries) == 0 {
		err = unread
	}
	return entries, err
}

// historyEntry reads an entry; what it does not say stays zero.
func historyEntry(o object) (e wua.HistoryEntry, err error) {
	e.ID, err = identityAs(o, "UpdateIdentity")
	if err != nil {
		return e, fmt.Errorf("read a history entry: %w", err)
	}
	var lost error
	p := &properties{of: o, failed: func(_ string, cause error) {
		if isGone(cause) {
			lost = cause
		}
	}}
	e.Title, e.ClientID, e.At = p.text("Title"), p.text("ClientApplicationID"), p.time("Date")
	e.Code, e.HResult = wua.ResultCode(p.number("ResultCode")), wua.Code(uint32(p.number("HResult")))
	e.Operation = "install"
	if p.number("Operation") == 2 {
		e.Operation = "uninstall"
	}
	return e, lost
}

// RebootPending asks WUA and looks where Windows notes that a restart is
// outstanding.
func (h *Host) RebootPending(ctx context.Context) (wua.Reboot, error) {
	return serve(ctx, h, "reboot-pending", func(s *session) (r wua.Reboot, err error) {
		system, err := s.create(progSystem)
		if err != nil {
			return r, err
		}
		defer system.release()
		required, err := as[bool](system, "RebootRequired")
		if err != nil {
			return r, err
		}
		if required {
			r.Reasons = append(r.Reasons, "WUA")
		}
		others, err := s.platform.pending()
		r.Reasons = append(r.Reasons, others...)
		r.Required = len(r.Reasons) > 0
		return r, err
	})
}

// Info describes the Windows and its update agent.
func (h *Host) Info(ctx context.Context) (wua.Info, error) {
	return serve(ctx, h, "info", func(s *session) (i wua.Info, err error) {
		w, err := s.platform.edition()
		if err != nil {
			return i, err
		}
		i = w.info()
		agent, err := s.create(progAgent)
		if err != nil {
			return i, err
		}
		defer agent.release()
		v, err := agent.call("GetInfo", "ProductVersionString")
		if err != nil {
			return i, err
		}
		i.WUAVersion, _ = v.(string)
		drop(v)
		return i, nil
	})
}

// edition is what Windows says of itself.
type edition struct {
	product, release    string // ProductName; DisplayVersion or ReleaseId
	major, minor, build int
	revision            int // UBR
	architecture        string
}

// firstWindows11 is the build from which the product name of a client lies:
// the registry of Windows 11 says Windows 10.
const firstWindows11 = 22000

func (w edition) info() wua.Info {
	name := w.product
	if w.build >= firstWindows11 && strings.HasPrefix(name, "Windows 10") {
		name = "Windows 11" + strings.TrimPrefix(name, "Windows 10")
	}
	if name == "" {
		name = "Windows " + strconv.Itoa(w.major)
	}
	return wua.Info{
		OS:           strings.TrimSpace(name + " " + w.release),
		Version:      fmt.Sprintf("%d.%d.%d.%d", w.major, w.minor, w.build, w.revision),
		Architecture: w.architecture,
	}
}
