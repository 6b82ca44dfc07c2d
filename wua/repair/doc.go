// Package repair mends on command what commonly keeps Windows Update from
// working, and shows what was before and after.
//
// # Steps
//
// A [Step] looks, mends, looks again, and may try whether the mended thing
// works. [Run] runs steps in order; one that fails does not keep the others
// from running, and its result says what failed and what to do. With dryRun
// nothing is changed: the results say what would be done.
//
//	native    ends the hold of a killed process; policies and start mode as
//	          the settings want them (package wua/native)
//	service   a disabled service is set to manual; it can be started
//	services  scan package services of killed scans are removed from WUA
//	store     SoftwareDistribution\Download and \DataStore are set aside, when
//	          there is a reason to; renamed folders are the proof, since Windows
//	          fills new ones at once
//	space     room on a volume; what can be removed there is
//
// # What is touched
//
// The start mode and state of the services named, WUA's list of services,
// and the two folders below SoftwareDistribution and their backups, nothing
// else. The folders are renamed while the services are stopped, and Windows
// makes new ones; at most one backup of each is kept, NAME.waptwua-TIME. Links
// are never followed. With DataStore go the host's update history and which
// updates were hidden; the agent hides them again at its next scan.
//
// # Not supported
//
// Repairs of the component store (DISM, sfc), of catroot2, of registrations
// of DLLs and of network settings: they take hours, or change more than
// Windows Update.
package repair
