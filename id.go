package waptwua

import (
	"fmt"
	"strconv"
	"strings"
)

// UpdateID identifies one revision of one update.
type UpdateID struct {
	GUID     string // lower case, 36 characters
	Revision int    // RevisionNumber, not the archive's RevisionId
}

// NewUpdateID normalises guid and joins it with revision.
func NewUpdateID(guid string, revision int) (UpdateID, error) {
	g, err := NormalizeGUID(guid)
	if err != nil {
		return UpdateID{}, err
	}
	if revision < 0 {
		return UpdateID{}, fmt.Errorf("update %s: negative revision number %d", g, revision)
	}
	return UpdateID{GUID: g, Revision: revision}, nil
}

// ParseUpdateID reads the form "guid_revision" that rule files use.
func ParseUpdateID(s string) (UpdateID, error) {
	guid, rev, ok := strings.Cut(strings.TrimSpace(s), "_")
	if !ok {
		return UpdateID{}, fmt.Errorf("update id %q: want GUID_REVISION", s)
	}
	n, err := strconv.Atoi(rev)
	if err != nil {
		return UpdateID{}, fmt.Errorf("update id %q: revision %q is not a number", s, rev)
	}
	return NewUpdateID(guid, n)
}

// String is the inverse of ParseUpdateID.
func (id UpdateID) String() string { return id.GUID + "_" + strconv.Itoa(id.Revision) }

// IsZero tells whether id names no update.
func (id UpdateID) IsZero() bool { return id.GUID == "" }

// MarshalText writes the form of String.
func (id UpdateID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the form of ParseUpdateID.
func (id *UpdateID) UnmarshalText(b []byte) error {
	v, err := ParseUpdateID(string(b))
	if err != nil {
		return err
	}
	*id = v
	return nil
}

// NormalizeGUID returns s in lower case without braces, or an error when s
// is not a GUID of the form 8-4-4-4-12.
func NormalizeGUID(s string) (string, error) {
	g := strings.ToLower(strings.Trim(strings.TrimSpace(s), "{}"))
	if len(g) != 36 {
		return "", fmt.Errorf("GUID %q: want 36 characters", s)
	}
	for i, c := range []byte(g) {
		if !guidByte(i, c) {
			return "", fmt.Errorf("GUID %q: unexpected %q at position %d", s, c, i)
		}
	}
	return g, nil
}

func guidByte(i int, c byte) bool {
	switch i {
	case 8, 13, 18, 23:
		return c == '-'
	}
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
}

// KB is the number of a Microsoft Knowledge Base article.
type KB uint32

// ParseKB reads "KB5031234", "kb5031234" or "5031234".
func ParseKB(s string) (KB, error) {
	t := strings.TrimSpace(s)
	if len(t) > 2 && strings.EqualFold(t[:2], "KB") {
		t = t[2:]
	}
	n, err := strconv.ParseUint(t, 10, 32)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("KB %q: want KB followed by digits", s)
	}
	return KB(n), nil
}

// String is "KB" and the number.
func (k KB) String() string { return "KB" + strconv.FormatUint(uint64(k), 10) }

// MarshalText writes the form of String.
func (k KB) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads every form of ParseKB.
func (k *KB) UnmarshalText(b []byte) error {
	v, err := ParseKB(string(b))
	if err != nil {
		return err
	}
	*k = v
	return nil
}
