// Package upgrade replaces the agent's own program by a newer one, and puts
// the old one back when the new one does not do its work.
//
// # What is believed
//
// A release (signing.Release) counts when a certificate for releases has
// signed it: one that the installer brought, of its own folder, never those
// of administrators and never the server's. It must
//
//   - be above the version that runs, above the highest that was ever well
//     here, and not below the highest that was ever offered: what the server
//     says about "newest" can only move forward;
//   - be the release that was seen before under this version;
//   - not have ended, hold a program for this platform, and take this
//     version as its predecessor (min_version).
//
// The program is used when its size and SHA-256 are those of the release,
// checked when it has arrived, again beside the old one, and again just
// before the exchange.
//
// # Steps
//
//	offered    the release is verified, and its version noted for ever
//	fetched    the program lies in the agent's folder (upgrade/); resumed after a break
//	staged     a copy lies beside the old program (wapt-get.new.exe)
//	checked    the copy was run: it says its version, reads the settings, reaches the server
//	pending    the record says what is to come; a copy of the old program, the
//	           guard, is started (wapt-get.guard.exe) and goes on:
//	stopped    the service has ended
//	kept       a copy of the old program lies beside it (wapt-get.old.exe)
//	exchanged  the new program has the old one's name
//	started    the service runs; it confirms when its server has answered
//
// The guard waits for the confirmation. Without it, or when the service ends
// by itself, it puts the old program back, starts the service, and notes the
// failure.
//
// # What survives
//
// Each of these processes may be killed at any moment. The program's name
// always leads to a whole program that was checked, but for one moment when
// the exchange cannot be one step (Windows, and somebody is running the
// program just then): the old one then lies beside it as wapt-get.aside.exe.
// A service that starts with a pending exchange and no guard looks after
// itself ([Upgrader.Begin]): the old program gives up the attempt, the new
// one puts the old one back at the third start without a confirmation.
//
// A version that failed a check of its own, or that ended by itself, is never
// tried again. One that only did not reach the server, or was cut off, is
// tried again after a day, three times in all.
//
// # Limits
//
// The server can withhold a release, which no signature can prevent; it ends
// at its not_after. Only the program is replaced: what else an installer
// brings (certificates, settings) stays as it is. One guard at a time
// (upgrade.lock).
package upgrade
