// Package fault breaks the running system and checks that nothing is lost:
// processes are killed at random moments, downloads are cut, disks are full.
// The programs are those that are built; only Microsoft (a local origin) and
// Windows (simulated hosts, each the real agent) are not the real ones.
//
// # What must hold after every kill
//
//   - What hosts can ask for is whole: each payload on the shelf has its
//     digest, the scan archive is one that the origin has offered.
//   - The server starts again, and every host that was enrolled is.
//
// # What must hold when the dust has settled
//
//   - Every host has searched with the newest archive and rules and lacks
//     nothing that they allow.
//   - What each agent holds to be true is what the server shows: no report
//     was lost.
//   - No Windows was told successfully to install the same update twice.
//
// # Repeating a run
//
// The moments follow from a seed that is printed. WAPTWUA_FAULT_SEED sets it,
// and WAPTWUA_FAULT_KILLS the number of kills (default 100). The operating
// system's own scheduling is not repeated.
package fault
