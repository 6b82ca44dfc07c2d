// Package inventory records a computer as far as update rules ask about it:
// it turns a list of questions (applicability.Asked, what `waptserver catalog
// asked --json` prints) and a computer (Host) into a FACTS.json
// (applicability.Facts) and a report on what could not be found out.
//
//	facts, report, err := inventory.Take(ctx, host, asked, inventory.Options{At: time.Now()})
//
// # What a recording promises
//
// It holds what was asked and nothing more, but for the identity of the
// operating system, the processor and the languages, which are always there.
// Every verdict of a catalogue on the recording is the one on a recording of
// the whole computer.
//
// Each thing asked has one of three ends:
//
//   - it is there: it is recorded;
//   - it is established to be absent: it is recorded as null. A registry key
//     or value, a file, a folder is absent when Windows says so, not when
//     reading it failed;
//   - it is not known: it is left out, which makes verdicts that depend on it
//     unknown, and the report says why. Nothing is guessed.
//
// No section is ever called complete: a later archive may ask for more. Where
// rules run over lists (sub-keys in a RegKeyLoop, products that have a patch)
// and the list was read to its end, Facts.Subkeys and Facts.Patches say so.
//
// # Questions
//
// The 32-bit view of the registry is recorded under Wow6432Node, as the
// format has it. What rules ask below HKEY_LOOP_TARGET is asked of every
// sub-key of every key that is looped over, loops within loops included:
// the list of questions does not tell which belongs to which loop. WMI
// queries are put as they are, and only the number of rows is kept. Where the
// text of a question can be read in two ways (an @ in a key's name), both
// are asked.
//
// # Hosts
//
// A Host joins roles of one to three methods each. Record makes one of a
// recorded machine, on any system; package winhost is the computer that the
// program runs on, where that is Windows. Patient gives the roles that may
// hang a time limit.
//
// Packages of component based servicing, releases and device attributes are
// not a matter of Windows' functions but of registry values (Servicing), and
// are tested everywhere. Which of these are unproven against a real Windows
// is listed in docs/design/windows.md.
//
// # Limits
//
// Limits bounds the questions, the sub-keys of one loop, all answers together
// and the text of a value. More questions or answers than that are an error
// that wraps waptwua.ErrLimit; a loop or value beyond it is left unknown.
//
// # What is not supported
//
// ClusteredOS, InstalledOnce, GenericQuery and whether a component package
// could be installed are never recorded from a Windows host. Folders that
// belong to a user are unknown: the Windows Update Agent asks as the system.
package inventory
