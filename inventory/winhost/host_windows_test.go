package winhost

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows/registry"

	"waptwua"
	"waptwua/applicability"
	"waptwua/inventory"
)

// These tests run on Windows, and under Wine by TestUnderWine. They ask what
// every Windows has, and what no Windows has.

func openHost(t *testing.T) inventory.Host {
	t.Helper()
	h, closeHost := Open()
	t.Cleanup(closeHost)
	return h
}

func TestIdentity(t *testing.T) {
	id, err := openHost(t).Platform.Identity(t.Context())
	t.Logf("os %+v, processor %+v, language %+v, %v", id.OS, id.Processor, id.Language, err)
	if err != nil && id.Language != nil {
		t.Errorf("error %v although everything is there", err)
	}
	if id.OS == nil || id.OS.Major < 6 || id.OS.Build == 0 || id.OS.ProductType == 0 || id.OS.SKU == 0 {
		t.Errorf("operating system %+v", id.OS)
	}
	if id.Processor == nil || id.Processor.Count < 1 || id.Processor.Architecture != applicability.ArchX64 && id.Processor.Architecture != applicability.ArchARM64 {
		t.Errorf("processor %+v", id.Processor)
	}
}

const testKey = `SOFTWARE\waptwua-inventory-test`

// writeKey makes a key with a value of each type in one view of the registry.
func writeKey(t *testing.T, view uint32, text string) {
	t.Helper()
	k, _, err := registry.CreateKey(registry.LOCAL_MACHINE, testKey, registry.ALL_ACCESS|view)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		root, err := registry.OpenKey(registry.LOCAL_MACHINE, "SOFTWARE", registry.ALL_ACCESS|view)
		if err != nil {
			t.Error(err)
			return
		}
		defer root.Close()
		if err := registry.DeleteKey(root, filepath.Base(testKey)); err != nil {
			t.Error(err)
		}
	})
	defer k.Close()
	for _, err := range []error{
		k.SetStringValue("sz", text), k.SetExpandStringValue("expand", `%windir%\x`), k.SetStringsValue("multi", []string{"a", "b"}),
		k.SetDWordValue("dword", 7), k.SetQWordValue("qword", 1<<40), k.SetBinaryValue("binary", []byte{0, 255}), k.SetStringValue("", "default"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestRegistry(t *testing.T) {
	writeKey(t, registry.WOW64_64KEY, "64")
	writeKey(t, registry.WOW64_32KEY, "32")
	r := openHost(t).Registry
	for name, want := range map[string]*applicability.Value{
		"sz":     applicability.SZ("64"),
		"":       applicability.SZ("default"),
		"DWORD":  applicability.DWORD(7),
		"expand": {Type: applicability.RegExpandSZ, Text: `%windir%\x`},
		"multi":  {Type: applicability.RegMultiSZ, Text: "a\nb"},
		"qword":  {Type: applicability.RegQWORD, Number: 1 << 40},
		"binary": {Type: applicability.RegBinary, Text: "00ff"},
	} {
		got, err := r.Value(t.Context(), `HKLM\`+testKey, name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
	got, err := r.Value(t.Context(), `HKLM\SOFTWARE\Wow6432Node\`+filepath.Base(testKey), "sz")
	if err != nil || got.Text != "32" {
		t.Errorf("the 32-bit view has %v, %v; want 32", got, err)
	}
}

func TestRegistryAbsent(t *testing.T) {
	writeKey(t, registry.WOW64_64KEY, "64")
	r := openHost(t).Registry
	if err := r.Key(t.Context(), `HKLM\SOFTWARE\no such key`); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("a key that is absent: %v", err)
	}
	if _, err := r.Value(t.Context(), `HKLM\`+testKey, "no such value"); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("a value that is absent: %v", err)
	}
	if err := r.Key(t.Context(), `HKEY_DYN_DATA\x`); err == nil || errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("a hive that is not known: %v", err)
	}
	list, err := r.Subkeys(t.Context(), `HKLM\SYSTEM\CurrentControlSet\Control`)
	if err != nil || len(list) == 0 || !strings.HasPrefix(list[0], `HKLM\SYSTEM\CurrentControlSet\Control\`) {
		t.Errorf("sub-keys %v, %v", list, err)
	}
}

func TestFiles(t *testing.T) {
	f := openHost(t).Files
	folder, err := f.Folder(t.Context(), 37)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.File(t.Context(), folder+`\kernel32.dll`)
	if err != nil || info.Version == nil || strings.Count(*info.Version, ".") != 3 || *info.Size == 0 || info.Language == nil {
		t.Errorf("kernel32.dll: %+v, %v", info, err)
	}
	if _, err := f.File(t.Context(), folder+`\no such.dll`); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("a file that is absent: %v", err)
	}
	if _, err := f.File(t.Context(), `Q:\no such\a.dll`); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("a drive that is absent: %v", err)
	}
	if _, err := f.File(t.Context(), folder); err == nil || errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("a folder for a file: %v", err)
	}
	plain, err := os.Executable() // programs made with Go have no version
	if err != nil {
		t.Fatal(err)
	}
	info, err = f.File(t.Context(), plain)
	if err != nil || info.Version == nil || *info.Version != "" || *info.Size == 0 || info.Created.IsZero() {
		t.Errorf("a file without version: %+v, %v", info, err)
	}
}

func TestWMI(t *testing.T) {
	w := openHost(t).WMI
	for name, c := range map[string]struct {
		namespace, wql string
		want           int
		err            error
	}{
		"one row":            {`root\cimv2`, "SELECT * FROM Win32_OperatingSystem", 1, nil},
		"no row":             {`root\cimv2`, "SELECT * FROM Win32_OperatingSystem WHERE Caption = 'no such'", 0, nil},
		"no such namespace":  {`root\nosuch`, "SELECT * FROM Win32_BIOS", 0, waptwua.ErrNotFound},
		"elsewhere":          {`\\other\root\cimv2`, "SELECT * FROM Win32_BIOS", 0, errRemote},
		"not a query at all": {`root\cimv2`, "DELETE Win32_BIOS", 0, errForm},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := w.Count(t.Context(), c.namespace, c.wql)
			if n != c.want || !errors.Is(err, c.err) || (c.err == nil) != (err == nil) {
				t.Errorf("%d rows, %v; want %d, %v", n, err, c.want, c.err)
			}
		})
	}
}

func TestFiguresAndProducts(t *testing.T) {
	h := openHost(t)
	if n, err := h.Figures.Metric(t.Context(), 0); err != nil || n < 0 { // SM_CXSCREEN
		t.Errorf("metric 0: %d, %v", n, err)
	}
	n, err := h.Figures.License(t.Context(), "no-such-value")
	if err == nil {
		t.Errorf("a licence value that is absent: %d", n)
	}
	t.Logf("licence value that is absent: %v", err)
	const code = "{00000000-1111-2222-3333-444444444444}"
	if _, err := h.Products.Product(t.Context(), code, inventory.Parts{}); !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("a product that is absent: %v", err)
	}
	if on, err := h.Products.Patch(t.Context(), code); err != nil || len(on) != 0 {
		t.Errorf("a patch that is absent: %v, %v", on, err)
	}
}

// TestWMINoClass takes no rows for an answer, as Wine gives it.
func TestWMINoClass(t *testing.T) {
	n, err := openHost(t).WMI.Count(t.Context(), `root\cimv2`, "SELECT * FROM Win32_NoSuchClass")
	if n != 0 || err != nil && !errors.Is(err, waptwua.ErrNotFound) {
		t.Errorf("a class that does not exist: %d rows, %v", n, err)
	}
}

// TestTake records the host and evaluates on the recording.
func TestTake(t *testing.T) {
	asked := applicability.Asked{
		Keys:    []string{`HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion`, `HKEY_LOCAL_MACHINE\SOFTWARE\none|32`},
		Values:  []string{`HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion@SystemRoot`},
		Loops:   []string{`HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control`},
		Files:   []string{`37:kernel32.dll`, `HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion@SystemRoot:explorer.exe`},
		Queries: []string{`root\cimv2: SELECT * FROM Win32_OperatingSystem`},
		Metrics: []int{87},
	}
	facts, report, err := inventory.Take(t.Context(), inventory.Patient(openHost(t), inventory.Patience{}), asked, inventory.Options{At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range report.Unknown {
		t.Log(p)
	}
	m, err := applicability.NewMachine(facts)
	if err != nil {
		t.Fatal(err)
	}
	if _, is := m.File(`C:\Windows\system32\kernel32.dll`); is != applicability.True {
		t.Errorf("kernel32.dll is %v", is)
	}
	if n, is := m.Rows(`root\cimv2`, "select * from Win32_OperatingSystem"); n != 1 || is != applicability.True {
		t.Errorf("%d operating systems, %v", n, is)
	}
	if is := m.Key(`HKLM\SOFTWARE\Wow6432Node\none`); is != applicability.False {
		t.Errorf("a key that is absent is %v", is)
	}
}
