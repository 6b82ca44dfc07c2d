package com

import (
	"context"
	"errors"
)

// ScanServices counts the scan package services of searches through this
// package that are registered with WUA, those of killed processes included.
func (h *Host) ScanServices(ctx context.Context) (int, error) {
	return serve(ctx, h, "list scan package services", func(s *session) (int, error) {
		manager, err := s.create(progServiceManager)
		if err != nil {
			return 0, err
		}
		defer manager.release()
		ids, err := ourServices(manager)
		return len(ids), err
	})
}

// RemoveScanServices removes them. What the last search offered can be
// installed no more.
func (h *Host) RemoveScanServices(ctx context.Context) error {
	_, err := serve(ctx, h, "remove scan package services", func(s *session) (struct{}, error) {
		s.offer.close()
		s.Host.offer = nil
		return struct{}{}, removeServices(s.apartment)
	})
	return err
}

// ourServices are the identities of the services with our name, as far as
// they can be read.
func ourServices(manager object) ([]string, error) {
	var ids []string
	var errs []error
	err := items(manager, "Services", func(service object) error {
		name, err := as[string](service, "Name")
		if err != nil || name != serviceName {
			return err
		}
		id, err := as[string](service, "ServiceID")
		if err == nil {
			ids = append(ids, id)
		}
		return err
	}, func(err error) { errs = append(errs, err) })
	return ids, errors.Join(append(errs, err)...)
}
