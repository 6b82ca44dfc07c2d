//go:build !windows

package usersession

import "context"

// List returns ErrUnsupported.
func List() ([]Session, error) { return nil, ErrUnsupported }

// Run returns ErrUnsupported.
func Run(context.Context, Session, string, []string) (uint32, error) { return 0, ErrUnsupported }
