// Package winhost is the Windows computer that the program runs on, as an
// inventory.Host. On other systems only the checks of what may be asked are
// built.
//
// It asks as the account that it runs under, which should be the system or an
// administrator; what that may not read is unknown. HKCU means the registry
// of the system account, and folders of users are refused, because the
// Windows Update Agent asks as the system.
//
//   - operating system: RtlGetVersion, GetProductInfo, and UBR and EditionID
//     of the registry; processor: GetNativeSystemInfo; language:
//     GetSystemDefaultUILanguage, and the installed UI languages in the
//     registry;
//   - registry: the native view; keys under Wow6432Node are read through the
//     32-bit view, so that keys that both views share are found there, too;
//   - files: attributes and version resource; only on local drives;
//   - products: msi.dll, the context of the machine; advertised products are
//     unknown;
//   - WMI: WbemScripting.SWbemLocator by late binding, on one thread of its
//     own; only SELECT, only namespaces of this computer.
//
// Questions come from outside: none of them can make this program open a
// connection to another computer or change anything.
//
// docs/design/windows.md lists what of this was never run on a real Windows.
package winhost
