package local

// The named pipes. Only administrators may create names below this prefix, so
// that nobody else can listen in the service's place.
const (
	pipePrefix = `\\.\pipe\ProtectedPrefix\Administrators\`
	adminPipe  = pipePrefix + "waptwua"
	userPipe   = pipePrefix + "waptwua-user"
)

// Who may open the pipes, as security descriptors (SDDL).
//
//	D:P                 nothing is inherited
//	(D;;GA;;;NU)        nobody over the network
//	(A;;GA;;;SY)(…BA)   the system and administrators: everything
//	(A;;0x12019b;;;IU)  who is logged on here: read and write, but not
//	                    FILE_CREATE_PIPE_INSTANCE (4), with which a program
//	                    could answer in the service's place
const (
	adminAccess = "D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)"
	userAccess  = adminAccess + "(A;;0x12019b;;;IU)"
)

// pipeAccess is what a client asks for: no more than userAccess gives.
const pipeAccess = 0x12019b
