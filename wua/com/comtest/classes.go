package comtest

import (
	"fmt"
	"strings"
)

// Class is a class of WUA as the double has it.
type Class struct {
	ProgID string // by which clients ask for it
	CLSID  string // the double's own, in braces; WUA's are never used
}

// Classes are the classes that the double has.
func Classes() []Class {
	var list []Class
	for i, name := range []string{
		"Session", "ServiceManager", "UpdateColl", "StringColl", "Searcher", "Downloader", "Installer", "SystemInfo", "AutoUpdate", "AgentInfo",
	} {
		list = append(list, Class{ProgID: "Microsoft.Update." + name, CLSID: fmt.Sprintf("{5CA00000-0000-4000-8000-0000000000%02X}", i)})
	}
	return list
}

// Registration is a registry file (version 4, for regedit) that makes the
// DLL at a Windows path answer for the classes, in place of the ones that the
// prefix has. Only HKLM counts under Wine.
func Registration(dll string) string {
	const root = `HKEY_LOCAL_MACHINE\Software\Classes\`
	var b strings.Builder
	b.WriteString("REGEDIT4\n")
	for _, c := range Classes() {
		fmt.Fprintf(&b, "\n[%s%s\\CLSID]\n@=\"%s\"\n", root, c.ProgID, c.CLSID)
		fmt.Fprintf(&b, "\n[%sCLSID\\%s\\InprocServer32]\n@=\"%s\"\n\"ThreadingModel\"=\"Both\"\n", root, c.CLSID, strings.ReplaceAll(dll, `\`, `\\`))
	}
	return b.String()
}
