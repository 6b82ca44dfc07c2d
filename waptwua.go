// Package waptwua holds the nouns that every other package shares: the
// identity of an update, what is known about it, what a host says about
// it, and the verdict of the rules. It imports nothing of this module.
//
// # Identity
//
// An update is (UpdateID GUID, RevisionNumber); GUIDs are compared without
// case and kept in lower case. One KB article may be several updates, and
// one GUID has several revisions.
//
// # Words
//
// The status words are those of WAPT's console. A host's update is OK
// (installed and seen by a later scan), PENDING (allowed, needed, files at
// hand), MISSING (allowed, needed, some file not on the server), DISCARDED
// (needed but not allowed now), REBOOT (installed, waiting for a restart),
// ERROR (the last attempt failed) or SUPERSEDED.
package waptwua
