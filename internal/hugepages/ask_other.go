//go:build !linux

package hugepages

import "errors"

func ask([]byte) error { return errors.ErrUnsupported }
