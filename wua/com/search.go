package com

import (
	"context"
	"errors"
	"fmt"

	"waptwua"
	"waptwua/wua"
)

// The ProgIDs of WUA.
const (
	progSession        = "Microsoft.Update.Session"
	progServiceManager = "Microsoft.Update.ServiceManager"
	progUpdates        = "Microsoft.Update.UpdateColl"
	progStrings        = "Microsoft.Update.StringColl"
	progSystem         = "Microsoft.Update.SystemInfo"
	progAgent          = "Microsoft.Update.AgentInfo"
)

const (
	serviceName    = "waptwua offline scan" // by which our services are known again
	nonVolatile    = 1                      // usoNonVolatileService: the service outlives the call that adds it
	selectedOthers = 3                      // ssOthers: the service whose ServiceID is given
)

// Search asks WUA what the host lacks and has. An archive must be a path on a
// local drive.
func (h *Host) Search(ctx context.Context, q wua.Query) (*wua.Found, error) {
	return serve(ctx, h, "search", func(s *session) (*wua.Found, error) {
		next, found, err := s.search(ctx, q)
		if err != nil {
			return nil, err
		}
		s.offer.close()
		s.Host.offer = next
		report(q.Progress, wua.Progress{Percent: 100})
		return found, nil
	})
}

// search makes a new offer; the services of earlier ones are removed first,
// since each holds a copy of the catalogue in WUA's database.
func (s *session) search(ctx context.Context, q wua.Query) (*offer, *wua.Found, error) {
	if err := removeServices(s.apartment); err != nil {
		return nil, nil, fmt.Errorf("remove the service of an earlier search: %w", err)
	}
	root, err := s.open(q.Locale)
	if err != nil {
		return nil, nil, err
	}
	next := &offer{session: root, updates: map[waptwua.UpdateID]object{}, leaves: map[waptwua.UpdateID]object{}}
	found, err := s.fill(ctx, next, q)
	if err != nil {
		next.close()
		_ = removeServices(s.apartment) // the failure of the search is what counts; the next one removes it
		return nil, nil, err
	}
	return next, found, nil
}

// fill has the offer's session search, and keeps what it found.
func (s *session) fill(ctx context.Context, next *offer, q wua.Query) (*wua.Found, error) {
	service := ""
	if q.Archive != "" {
		id, err := addService(s.apartment, q.Archive)
		if err != nil {
			return nil, err
		}
		service, next.service = id, id
	}
	result, err := s.ask(ctx, next.session, service, q)
	if err != nil {
		return nil, err
	}
	defer result.release()
	return collect(next, result)
}

// open makes a session of WUA.
func (s *session) open(locale uint32) (object, error) {
	root, err := s.create(progSession)
	if err != nil {
		return nil, err
	}
	err = root.put("ClientApplicationID", s.opt.ClientID)
	if err == nil && locale != 0 {
		err = root.put("UserLocale", int(locale))
	}
	if err != nil {
		root.release()
		return nil, err
	}
	return root, nil
}

// ask runs one search to its end.
func (s *session) ask(ctx context.Context, root object, service string, q wua.Query) (object, error) {
	searcher, err := invoke(root, "CreateUpdateSearcher")
	if err != nil {
		return nil, err
	}
	defer searcher.release()
	for _, o := range searchOptions(service, q) {
		if err := searcher.put(o.name, o.value); err != nil {
			return nil, err
		}
	}
	criteria := q.Criteria
	if criteria == "" {
		criteria = wua.DefaultCriteria
	}
	return s.run(ctx, job{
		on: searcher, begin: "BeginSearch", end: "EndSearch", args: []any{criteria}, callbacks: 1,
		begun: func() { report(q.Progress, wua.Progress{}) },
	})
}

// option is a property of the searcher.
type option struct {
	name  string
	value any
}

func searchOptions(service string, q wua.Query) []option {
	list := []option{{"IncludePotentiallySupersededUpdates", q.IncludePotentiallySuperseded}}
	if service != "" {
		list = append(list, option{"ServerSelection", selectedOthers}, option{"ServiceID", service})
	}
	return list
}

// addService registers the archive and returns the service's ID.
func addService(a apartment, archive string) (string, error) {
	manager, err := a.create(progServiceManager)
	if err != nil {
		return "", err
	}
	defer manager.release()
	service, err := invoke(manager, "AddScanPackageService", serviceName, archive, nonVolatile)
	if err != nil {
		return "", err
	}
	defer service.release()
	return as[string](service, "ServiceID")
}

// removeServices removes every scan package service of ours, those that a
// killed process left behind included.
func removeServices(a apartment) error {
	manager, err := a.create(progServiceManager)
	if err != nil {
		return err
	}
	defer manager.release()
	ids, err := ourServices(manager)
	for _, id := range ids {
		if removed := do(manager, "RemoveService", id); err == nil {
			err = removed
		}
	}
	return err
}

// unknownService is WU_E_DS_UNKNOWNSERVICE.
const unknownService wua.Code = 0x80248014

// removeService removes one scan package service; one that is gone is fine.
func removeService(a apartment, id string) error {
	manager, err := a.create(progServiceManager)
	if err != nil {
		return err
	}
	defer manager.release()
	if err = do(manager, "RemoveService", id); errors.Is(err, &wua.Error{Code: unknownService}) {
		return nil
	}
	return err
}

func report(progress func(wua.Progress), p wua.Progress) {
	if progress != nil {
		progress(p)
	}
}
