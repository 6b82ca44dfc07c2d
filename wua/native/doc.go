// Package native keeps Windows' own updating in check: the Windows Update
// service (wuauserv) and the policy values that say what Windows may do by
// itself.
//
// # What the setting enabled means here
//
//	TakeOver  the policy values of Policies are set, and between its
//	          operations the agent leaves the service as Idle says
//	GiveBack  what was taken over is put back as it was; what never was
//	          taken over is not touched
//	Leave     nothing is touched, also when it was taken over earlier;
//	          Settle and Prove then say so
//
// [Control.Settle] brings the host there. It can be called at any time and
// any number of times: it changes only what differs.
//
// # What is recorded, and when
//
// Before the first change, everything that will be changed is recorded as it
// was: values with their type and bytes or their absence, keys that did not
// exist, the start mode of the service and whether it ran. The record is in
// the agent's folder and is the only mark: a value that happens to equal ours
// and was there before stays there when everything is given back. A value that
// somebody has changed since is theirs and is left alone when giving back.
//
// When something that was taken over is found changed, Settle changes it
// again and keeps a note ([Undone]): what, which value was found, and between
// which two moments it happened. Windows does not record who changed a
// registry value; for services its event log does (Service Control Manager,
// event 7040).
//
// # Proof
//
// [Control.Prove] compares every value and service with what is wanted, shows
// what others have set that is in the agent's way, and what the update history
// says: an installation that Windows made by itself within a week means that
// updating is not under control, whatever the settings are.
//
// # Holding the service
//
// Where the host is taken over, [Control.Hold] makes the service usable for
// as long as it is needed: it records the hold, sets the start mode to manual,
// starts the service and waits for it. Holds nest. The last release leaves the
// service as Idle says. After a kill the record still has the hold, and the
// next Settle or release ends it. [Keep] puts this around a wua.Host.
//
// Where the host is not taken over, a hold changes nothing; COM starts a
// service whose start mode is manual by itself. A disabled service is then
// somebody's decision and an error (0x80070422) that says what to do.
//
// # Not supported
//
// UsoSvc and WaaSMedicSvc, which on Windows 10 and later search for updates
// and repair the service's start mode, are shown and not changed: they are
// protected, and what they undo is found and done again. Scheduled tasks of
// Windows Update are neither read nor changed. Settings of single users are
// not looked at.
//
// # Concurrency
//
// A Control is safe for concurrent use. Processes must not use the same record
// at once, except for [Control.Prove]: the agent's lock sees to that.
package native
