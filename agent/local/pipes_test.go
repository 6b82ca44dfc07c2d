package local

import (
	"strings"
	"testing"
)

// TestPipeAccess holds who may open the pipes. That Windows enforces it
// cannot be tested here.
func TestPipeAccess(t *testing.T) {
	for name, sddl := range map[string]string{"admins": adminAccess, "users": userAccess} {
		if !strings.HasPrefix(sddl, "D:P(D;;GA;;;NU)") {
			t.Errorf("%s: the network is not refused first: %s", name, sddl)
		}
		for _, everybody := range []string{";WD)", ";AU)", ";BU)", ";AN)"} {
			if strings.Contains(sddl, everybody) {
				t.Errorf("%s: open to %s: %s", name, everybody, sddl)
			}
		}
	}
	if strings.Contains(adminAccess, ";IU)") || !strings.Contains(userAccess, "(A;;0x12019b;;;IU)") {
		t.Error("who is logged on has a place in the wrong list")
	}
	for _, pipe := range []string{adminPipe, userPipe} {
		if !strings.HasPrefix(pipe, pipePrefix+"waptwua") {
			t.Errorf("%s: every program could listen there", pipe)
		}
	}
	const createInstance = 0x4 // FILE_CREATE_PIPE_INSTANCE
	if pipeAccess&createInstance != 0 || pipeAccess != 0x12019b {
		t.Errorf("clients ask for %#x", pipeAccess)
	}
}
