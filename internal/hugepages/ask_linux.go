package hugepages

import "golang.org/x/sys/unix"

func ask(room []byte) error { return unix.Madvise(room, unix.MADV_HUGEPAGE) }
