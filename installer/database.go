package installer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// publicProperties are the properties that reach the privileged side of an
// installation.
var publicProperties = []string{"SERVER", "REPO", "TOKEN", "CA_FINGERPRINT", "WAPTWUA", "SETTINGS", "PURGE"}

// The attributes that wixl has no words for.
const (
	versionMaxInclusive = 0x200                                                                  // msidbUpgradeAttributesVersionMaxInclusive
	hideTarget          = 0x2000                                                                 // msidbCustomActionTypeHideTarget
	configureType       = 2 /* exe */ + 0x10 /* installed file */ + 0x400 /* deferred */ + 0x800 /* as the system */
)

// queries mend the database that wixl has made.
func (p *Plan) queries() ([]string, error) {
	number, err := NumericVersion(p.Version)
	if err != nil {
		return nil, err
	}
	secure := strings.Join(append([]string{"WIX_DOWNGRADE_DETECTED", "WIX_UPGRADE_DETECTED"}, publicProperties...), ";")
	return []string{
		"UPDATE `Property` SET `Value`='" + secure + "' WHERE `Property`='SecureCustomProperties'",
		"UPDATE `File` SET `Version`='" + number + ".0', `Language`='1033' WHERE `File`='" + programID + "'",
		// The command line holds the token: it does not belong into a log.
		fmt.Sprintf("UPDATE `CustomAction` SET `Type`=%d WHERE `Action`='Configure'", configureType|hideTarget),
		// The same version again replaces the installed one: other settings, same program.
		"DELETE FROM `Upgrade` WHERE `ActionProperty`='WIX_UPGRADE_DETECTED'",
		fmt.Sprintf("INSERT INTO `Upgrade` (`UpgradeCode`, `VersionMax`, `Attributes`, `ActionProperty`) VALUES ('{%s}', '%s', %d, 'WIX_UPGRADE_DETECTED')",
			UpgradeCode, number, 1|versionMaxInclusive),
		// Within the transaction: when the new version cannot be installed the old one comes back.
		"UPDATE `InstallExecuteSequence` SET `Sequence`=1501 WHERE `Action`='RemoveExistingProducts'",
	}, nil
}

// mend changes the database, and names platform and content in the summary
// information.
func (p *Plan) mend(ctx context.Context, dir, msi string) error {
	queries, err := p.queries()
	if err != nil {
		return err
	}
	for _, q := range queries {
		if _, err := tool(ctx, dir, "msibuild", msi, "-q", q); err != nil {
			return fmt.Errorf("changing the package's database (%s): %w", q, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "RemoveFile.idt"), removeFiles(), 0o644); err != nil {
		return err
	}
	if _, err := tool(ctx, dir, "msibuild", msi, "-i", "RemoveFile.idt"); err != nil {
		return fmt.Errorf("adding the files to remove: %w", err)
	}
	_, err = tool(ctx, dir, "msibuild", msi, "-s", productName, manufacturer, p.Platform.template(), "{"+guid("package", p.digest())+"}")
	return err
}

// onRemove is msidbRemoveFileInstallModeOnRemove.
const onRemove = 2

// removeFiles is the table RemoveFile: the program goes also when it has
// replaced itself since by a newer one, which a removal may otherwise leave,
// and so does what lies beside it while it does that.
func removeFiles() []byte {
	var b strings.Builder
	b.WriteString("FileKey\tComponent_\tFileName\tDirProperty\tInstallMode\r\ns72\ts72\tL255\ts72\ti2\r\nRemoveFile\tFileKey\r\n")
	for _, word := range []string{"", ".new", ".old", ".guard", ".aside"} {
		fmt.Fprintf(&b, "Remove%s\t%s\twapt-get%s.exe\tINSTALLDIR\t%d\r\n", strings.TrimPrefix(word, "."), programID, word, onRemove)
	}
	return []byte(b.String())
}
