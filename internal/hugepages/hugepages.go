// Package hugepages has a short-lived program's heap lie in huge pages, on
// systems that give them to those who ask (Linux with transparent huge pages
// set to "madvise"; with "always" nothing needs to be asked).
//
// A build of a catalogue touches a few hundred megabytes once. In pages of
// 4 KiB that is one fault of the memory management for each; in a virtual
// machine these can take a third of the whole time. In pages of 2 MiB there
// are five hundred times fewer.
//
// The runtime does not ask for huge pages itself, because a heap that shrinks
// and grows for weeks then takes more memory than it needs. So this is for
// commands that work and end, not for services.
package hugepages

import "runtime/debug"

// Prepare asks that the next size bytes of the heap lie in huge pages. It is
// called before much has been allocated, and before a memory limit is set.
// It takes no memory, and where the system knows no huge pages it does
// nothing.
func Prepare(size int) {
	if ask(make([]byte, size)) == nil { // fresh from the system, never touched, and given up here
		// The heap grows where it was, and the wish stays with the place. Until
		// it is given back it would count as memory in use.
		debug.FreeOSMemory()
	}
}
