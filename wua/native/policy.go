package native

// Policy is a policy value that is set while the host is taken over.
type Policy struct {
	Key   string // below HKEY_LOCAL_MACHINE
	Name  string
	Value Value
	Why   string // a sentence for administrators
}

// The keys of the policies of Windows Update.
const (
	policyKey    = `SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate`
	policyKeyAU  = policyKey + `\AU`
	policyPrefix = `SOFTWARE\Policies\Microsoft\Windows\`
)

// Policies are the values that are set while the host is taken over. Their
// names and meanings are those of Microsoft's administrative template
// WindowsUpdate.admx. None of them hinders a search or an installation that
// the agent asks for.
func Policies() []Policy {
	return []Policy{
		{policyKeyAU, "NoAutoUpdate", Number(1), "Windows neither searches for updates nor installs them by itself."},
		{policyKeyAU, "AUOptions", Number(2), "Where a version of Windows passes over NoAutoUpdate, it asks before it downloads and before it installs."},
		{policyKeyAU, "NoAutoRebootWithLoggedOnUsers", Number(1), "Windows does not restart for updates while somebody is logged on."},
		{policyKey, "SetDisableUXWUAccess", Number(1), "The settings of Windows offer users no search for updates."},
		{policyKey, "DisableOSUpgrade", Number(1), "Windows Update offers no change to a newer Windows."},
	}
}

// obstacle is a policy value, set by others, that hinders the agent or says
// that somebody else manages updates here, too.
type obstacle struct {
	key, name, note string
}

func obstacles() []obstacle {
	return []obstacle{
		{policyKeyAU, "UseWUServer", "A WSUS server manages this host, too; take the policy away, or leave the host to that server."},
		{policyKey, "DisableWindowsUpdateAccess", "Searches and installations fail with 0x8024002E or 0x8024002F; take the policy away."},
		{policyKey, "DoNotConnectToWindowsUpdateInternetLocations", "Scans can fail with 0x8024500C; take the policy away."},
	}
}

// Idle says how the agent leaves the Windows Update service of a host that is
// taken over while it does not need it.
type Idle string

// The ways to leave the service.
const (
	IdleDisabled Idle = "disabled" // stopped, and nothing can start it
	IdleManual   Idle = "manual"   // stopped, and whoever needs it can start it
	IdleRestore  Idle = "restore"  // as it was before the host was taken over
)
