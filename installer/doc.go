// Package installer builds the Windows Installer package (.msi) with which
// an agent is put on Windows hosts.
//
// # What the package does on a host
//
//   - It puts wapt-get.exe into ProgramFiles\waptwua, beside it install.ini
//     (the settings chosen when it was built), the server's CA
//     (server-ca.pem), the certificates of administrators (ssl\) and those
//     that may sign releases of the agent (releases\).
//   - It has the program itself take over the settings ("wapt-get
//     configure"), and then installs and starts the service waptwua. A
//     failure of either undoes the installation.
//   - Public properties given to msiexec win over what was built in:
//     SERVER, REPO, TOKEN, CA_FINGERPRINT, WAPTWUA (manage, disable, leave)
//     and SETTINGS (waptwua.install_delay=3d;waptwua.default_allow=true).
//     An empty one keeps what the host has.
//   - A package of a higher or the same version replaces an installed one,
//     a lower one is refused. wapt-get.ini and the agent's own folder belong
//     to the program, not to the package: they stay as they are.
//   - Removal ends the service, has the program take away its shutdown
//     script and its source of events and give Windows Update back
//     ("wapt-get configure --uninstall"), and removes the files. wapt-get.ini
//     and the host's identity stay, with PURGE=1 they go, too.
//
// # How it is made
//
// [Plan.Source] describes the package in the XML of WiX 3, as far as wixl
// (msitools) reads it. What wixl does not do is mended in the finished
// database with msibuild: the file's version, which properties reach the
// privileged side, the token's secrecy, the place of the removal of older
// products, ARM64. wixl drops attributes it does not know with a warning
// and success; here every line on its standard error is a failure.
//
// Before that, the program gets a version resource ([Stamp]), without which
// Windows Installer would replace a newer program by an older one. With a
// code-signing certificate ([Signing]) osslsigncode signs the program and
// then the package, and verifies both.
//
// # Same input, same content
//
// Identifiers follow from names and content (UUID version 5): the same
// version of the same files has the same product and package code. Only the
// two dates in the summary information differ.
//
// # The token
//
// A token that is built in can be read by whoever has the package, on hosts
// also by their users (Windows keeps a copy of it). Give it few uses and a
// short life, or none, and TOKEN= where msiexec is called. It is hidden from
// the log of the installation, and the host removes its own copy when it has
// registered.
//
// # Not supported
//
// 32-bit Windows, a choice of folder, a user interface beyond that of
// msiexec /qb, languages other than English in it, several agents on one
// host. MSI packages for ARM64 are built like those for amd64.
package installer
