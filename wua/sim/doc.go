// Package sim is a simulated Windows host behind the interface of package
// wua. It evaluates the same scan archive as a real one, by package catalog,
// against a recorded machine (applicability.Facts), and behaves as the
// Windows Update Agent does, its refusals included.
//
// # What it does
//
//   - Search opens the archive, checks its Authenticode signature, evaluates
//     every update, and offers what is installed and what is missing. Many
//     hosts of one process share the parsed archive (Graphs).
//   - Stage takes files only when their digests are those of the archive, and
//     none for OSInstaller updates: these are installed by AddPackages, from a
//     folder with the packages that the archive names.
//   - Install changes the machine: it looks for changes of the facts that make
//     the update's own rule IsInstalled true, for each child that applies, and
//     checks that they do. An update that asks for a restart takes effect at
//     Restart; until then Search reports it installed with RebootRequired.
//   - Uninstall takes such changes back.
//   - A Script makes calls and updates fail, with real HRESULTs.
//
// # State
//
// The recorded machine is never written. What installing changed is kept as
// a list of edits in state.json in the host's directory, replaced whole;
// every attempt is a line in install.log, which only grows (ReadLog). A host
// that is killed at any moment continues from the state before or after the
// call it was in. Several processes may open one directory: a call takes a
// lock, and a second call gets OperationInProgress, as with the real agent.
//
// # Limits
//
//   - An update whose verdict is unknown, for example because its rules ask
//     whether a component package is installable and the recording does not
//     say, is not offered. A real host knows.
//   - Online searches fail: the host has no network.
//   - Files are checked, not kept or executed.
//   - Titles are those of the archive in English, whatever Query.Locale says.
//   - Licences are always accepted; deployment by administrators, deadlines,
//     per-user and browse-only updates are not modelled.
//   - Whether an update that can ask for a restart does so depends on the
//     seed. Installing changes what its rules ask about, not the versions of
//     other files, and never the processor, the language or the edition.
//   - An update can only be uninstalled when this host installed it.
package sim
