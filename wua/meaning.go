package wua

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"waptwua"
)

// Meaning explains a code to an administrator.
type Meaning struct {
	Name     string // as in Microsoft's headers, e.g. WU_E_OPERATIONINPROGRESS; empty: not known
	Sentence string // what happened; never empty
	Remedy   string // what to do about it; may be empty
}

// entry is a line of the tables. Every failure has a sentence and a remedy of
// its own; a name only if Microsoft gives it one.
type entry struct {
	code                   Code
	name, sentence, remedy string
}

// table indexes every known code, once somebody asks.
var table = sync.OnceValue(func() map[Code]Meaning {
	m := make(map[Code]Meaning, 512)
	for _, codes := range tables() {
		for _, e := range codes {
			m[e.code] = Meaning{e.name, e.sentence, e.remedy}
		}
	}
	return m
})

// tables are all tables of codes.
func tables() [][]entry {
	return [][]entry{
		successCodes(), clientCodes(), handlerCodes(), downloadCodes(), scanCodes(), protocolCodes(), storeCodes(), driverCodes(),
		setupCodes(), servicingCodes(), imageCodes(), trustCodes(), networkCodes(), transferCodes(), deliveryCodes(), windowsCodes(),
	}
}

// Known lists every code that the tables name, in ascending order.
func Known() []Code { return slices.Sorted(maps.Keys(table())) }

// Named finds the code with a name of Microsoft's headers, in any case.
func Named(name string) (Code, bool) {
	for c, m := range table() {
		if m.Name != "" && strings.EqualFold(m.Name, name) {
			return c, true
		}
	}
	return 0, false
}

// Lookup explains a code. A code that is not known is explained by the part
// of Windows that it comes from.
func Lookup(c Code) Meaning {
	if m, ok := table()[c]; ok {
		return m
	}
	f := familyOf(c)
	return Meaning{Sentence: f.sentence, Remedy: f.remedy}
}

// BlamesStore tells whether the remedy of a code is to set the database of
// Windows Update aside (waptwua-repair).
func (c Code) BlamesStore() bool { return Lookup(c).Remedy == remedyStore }

// Failure describes a failed attempt by its code. at is when it failed,
// attempts how often so far, this one included.
func Failure(c Code, at time.Time, attempts int) waptwua.Failure {
	m := Lookup(c)
	return waptwua.Failure{
		HResult: uint32(c), Name: m.Name, Sentence: m.Sentence, Remedy: m.Remedy,
		At: at, Attempts: attempts,
	}
}

// FailureOf describes a failed attempt by its error: by its code when there
// is an *Error in it, and else by its text.
func FailureOf(err error, at time.Time, attempts int) waptwua.Failure {
	var e *Error
	if !errors.As(err, &e) {
		return waptwua.Failure{Sentence: err.Error(), At: at, Attempts: attempts}
	}
	f := Failure(e.Code, at, attempts)
	if e.Text != "" {
		f.Sentence += saidByWindows + e.Text
	}
	return f
}

// saidByWindows comes between our words and those of Windows.
const saidByWindows = " Windows says: "

// family is a range of codes with one origin.
type family struct {
	first, last      Code
	sentence, remedy string
}

func familyOf(c Code) family {
	for _, f := range families() {
		if f.first <= c && c <= f.last {
			return f
		}
	}
	if c>>16 == 0x8007 {
		return family{sentence: fmt.Sprintf("Windows reports the system error %d.", c&0xFFFF), remedy: "Run \"net helpmsg " + fmt.Sprint(uint32(c&0xFFFF)) + "\" on the host for its text."}
	}
	if !c.Failed() {
		return family{sentence: "Windows gives a code that is no failure and that this program does not know.", remedy: remedyUnknown}
	}
	return family{sentence: "Windows reports an error that this program does not know.", remedy: remedyUnknown}
}

func families() []family {
	return []family{
		{0x00240000, 0x0024FFFF, "The operation succeeded; Windows Update adds a remark that this program does not know.", ""},
		{0x80240000, 0x802403FF, "The Windows Update Agent refused or could not finish the operation.", remedyAgain},
		{0x80240400, 0x80240FFF, "The Windows Update Agent could not talk to an update server.", remedyNetwork},
		{0x80241000, 0x80241FFF, "Windows Installer could not handle the update.", remedyInstaller},
		{0x80242000, 0x80242FFF, "The installer of the update failed.", remedyCBSLog},
		{0x80243000, 0x80243FFF, "The user interface or the result file of the update failed.", remedyAgain},
		{0x80244000, 0x80244FFF, "The Windows Update Agent could not talk to an update server.", remedyNetwork},
		{0x80245000, 0x80245FFF, "The Windows Update Agent could not find out which update server to use.", remedyNetwork},
		{0x80246000, 0x80246FFF, "The files of the update are missing or are not what they should be.", remedyFiles},
		{0x80247000, 0x802470FF, "The scan archive could not be used.", remedyArchive},
		{0x80247100, 0x80247FFF, "The signature of the update's description could not be verified.", remedyMetadata},
		{0x80248000, 0x80248FFF, "The database of the Windows Update Agent is damaged or busy.", remedyStore},
		{0x80249000, 0x80249FFF, "The inventory of the host for Windows Update failed.", remedyAgain},
		{0x8024A000, 0x8024AFFF, "Automatic Updates could not do its work.", remedyAgain},
		{0x8024B000, 0x8024BFFF, "A task of the Windows Update Agent failed.", remedyAgain},
		{0x8024C000, 0x8024CFFF, "A driver could not be offered or installed.", remedyDriver},
		{0x8024D000, 0x8024DFFF, "The Windows Update Agent could not update itself.", remedySelfUpdate},
		{0x8024E000, 0x8024EFFF, "The Windows Update Agent could not evaluate the rules of an update.", remedyArchive},
		{0x8024F000, 0x8024FFFF, "The event reporter of Windows Update failed.", remedyAgain},
		{0x800F0800, 0x800F0FFF, "Windows servicing (CBS) refused or could not finish the operation.", remedyRestoreHealth},
		{0x800B0000, 0x800B0FFF, "A signature or certificate is not trusted by the host.", remedyCertificates},
		{0x80092000, 0x80093FFF, "A certificate or signature could not be read.", remedyCertificates},
		{0x80200000, 0x8020FFFF, "The transfer service (BITS) could not fetch a file.", remedyNetwork},
		{0x80D00000, 0x80D0FFFF, "Delivery Optimization could not fetch a file.", remedyDelivery},
		{0x80190000, 0x8019FFFF, "A server answered with an HTTP error.", remedyNetwork},
		{0x80072E00, 0x80072FFF, "A network request failed.", remedyNetwork},
		{0x80090300, 0x800903FF, "No secure connection to a server could be made.", remedyTLS},
		{0xC0040000, 0xC004FFFF, "DISM refused or could not finish the operation.", "See C:\\Windows\\Logs\\DISM\\dism.log on the host."},
		{0xC1510000, 0xC151FFFF, "DISM could not work on the Windows image.", remedyRestoreHealth},
		{0xC8000000, 0xC800FFFF, "The database engine of the Windows Update Agent failed.", remedyStore},
		{0xC1420000, 0xC142FFFF, "DISM could not work on the Windows image.", remedyRestoreHealth},
		{0xC1900000, 0xC190FFFF, "Windows Setup refused or could not finish the upgrade.", "See C:\\$WINDOWS.~BT\\Sources\\Panther\\setuperr.log on the host."},
	}
}

// The remedies that several codes share.
const (
	remedyAgain         = "It is tried again at the next run. If it keeps failing, restart the host."
	remedyRestart       = "Restart the host, then scan again."
	remedyWait          = "Wait until the other operation has ended; it is tried again at the next run."
	remedyNetwork       = "An offline scan needs no update server: check that the host is set to scan offline, or its network, name resolution and proxy."
	remedyPolicy        = "Check the Windows Update policies of the host (gpresult /h) for one that forbids this, and take it away."
	remedyService       = "Run \"wapt-get waptwua-repair\" on the host, or: sc config wuauserv start= demand."
	remedyDisk          = "Free space on the system drive of the host, at least 10 GB for a cumulative update, and try again."
	remedyMemory        = "Close programs or give the host more memory (a scan needs about 2 GB), and scan again."
	remedyRestoreHealth = "Run DISM /Online /Cleanup-Image /RestoreHealth and then sfc /scannow on the host, restart it and try again; C:\\Windows\\Logs\\CBS\\CBS.log names the cause."
	remedyCBSLog        = "See C:\\Windows\\Logs\\CBS\\CBS.log and C:\\Windows\\WindowsUpdate.log (Get-WindowsUpdateLog) on the host for the cause."
	remedyInstaller     = "Repair the program that the update is for, or install Windows Installer's prerequisites, and try again."
	remedyFiles         = "The files are fetched and verified again at the next run. If it keeps failing, delete them on the server so that it downloads them anew."
	remedyArchive       = "Fetch the scan archive again and verify it with \"waptserver archive verify\"; then scan again."
	remedyMetadata      = "Check the clock and the root certificates of the host, fetch the scan archive again, and scan again."
	remedyStore         = "Run \"wapt-get waptwua-repair\" on the host, which sets the database of Windows Update aside, and scan again."
	remedyDriver        = "Install the driver by the manufacturer's program, or forbid the update."
	remedySelfUpdate    = "Install the newest servicing stack or Windows Update Agent for this Windows version, restart, and scan again."
	remedyCertificates  = "Check the clock of the host and bring its root certificates up to date."
	remedyTLS           = "Check clock, root certificates and TLS settings of the host, and whether a proxy opens TLS."
	remedyStack         = "Install the newest servicing stack update for this Windows version first."
	remedyForbid        = "If the host does not need this update, forbid it in the rules."
	remedyUnknown       = "Look the code up by its number in Microsoft's documentation, and look into C:\\Windows\\WindowsUpdate.log (Get-WindowsUpdateLog) for what came before it."
	remedyReport        = "This should not happen: please report it with C:\\Windows\\WindowsUpdate.log."
	remedyServer        = "Check the update server that a policy sets (WSUS), or set the option offline to true: an offline scan needs no update server."
	remedyServerURL     = "Check the address in the policy WUServer (reg query HKLM\\Software\\Policies\\Microsoft\\Windows\\WindowsUpdate), or set the option offline to true."
	remedyFinish        = "Stop the Windows Update service on the host (net stop wuauserv), which starts anew when it is needed, and scan again."
	remedyCaller        = "Look for another program on the host that drives Windows Update or servicing (Configuration Manager, a script), and end it; if there is none, please report this with C:\\Windows\\WindowsUpdate.log."
	remedyLog           = "Run Get-WindowsUpdateLog in PowerShell on the host, and look for the first failure before this one."
	remedyIdle          = "Nothing needs to be done: Windows Update stops later."
	remedyReporting     = "Nothing needs to be done: only Windows' own report to an update server is missing, and updates are not concerned."
	remedyDisplay       = "Nothing needs to be done: only the display is concerned, and the agent installs without it."
	remedyVolume        = "Check that the drives of the host are connected and have their letters (mountvol), and scan again."
	remedyAppDrive      = "Check the drives for apps with Get-AppxVolume on the host, and connect or set the one that is missing."
	remedyFileTrust     = "Check the clock of the host and bring its root certificates up to date; the file is fetched anew at the next run."
	remedyVerifier      = "Windows fetches these settings from Microsoft: let the host reach *.update.microsoft.com once, or run \"wapt-get waptwua-repair\" on it, and scan again."
	remedyTransfer      = "Run \"bitsadmin /list /allusers /verbose\" on the host, which shows the job and its error; \"wapt-get waptwua-repair --only bits\" starts the service anew."
	remedyHealth        = "Windows repeats this by itself, and no update depends on it; if Windows Update does not work on the host, run \"wapt-get waptwua-repair\" there."
	remedyDelivery      = "Check the network and proxy of the host and the Delivery Optimization service (Get-DeliveryOptimizationStatus); an offline scan with files from the server does without it."
	remedyCrash         = "Restart the host and try again; if it keeps failing, the Application event log names the program and module, often a virus scanner or a driver."
)
