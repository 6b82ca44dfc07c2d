// Package windows tests the Windows programs from outside: wapt-get.exe as it
// is built, under Wine, against a real server on Linux. In nobody's place but
// Microsoft's (internal/origin), the Windows Update Agent's (test/windows/double,
// registered in the Wine prefix) and those of the programs that Windows itself
// brings (test/windows/tool).
//
// # Running
//
// WAPTWUA_WINE names a Wine prefix made by scripts/wine-prefix; without it the
// tests are skipped. Each test works in a copy of the prefix and ends what it
// has started there. `make test-windows` does all of it.
//
// # The same on the simulator
//
// A scenario (Scenario) is a list of steps that an administrator or a host
// takes. It runs twice, each time with a server of its own over the same
// generated world: by wapt-get.exe under Wine, and by wapt-get on Linux with
// the simulator. After each step both servers must show the same
// (TestSameAsSimulator), except for
//
//   - points in time and durations: only whether there is one is compared;
//   - the host's name;
//   - numbers that only say how often somebody asked (runs, attempts of jobs).
//
// # The whole life
//
// One scenario (TestInstaller) begins with the installation of the Windows
// Installer package and ends with its removal. Its steps are orders to the
// service, on Linux to `wapt-get service run`. Under Wine the service is killed
// when its journal comes to a new state, once for each kind of operation and
// state before its end, and started again; the simulator's is left alone. The
// servers must show the same nevertheless, but for the attempts that were
// interrupted and the version of the program.
//
// # Not proven by it
//
// docs/design/update-agent.md and docs/design/windows.md list what no Wine can
// show.
package windows
