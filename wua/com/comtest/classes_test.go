package comtest

import (
	"strings"
	"testing"

	"waptwua/wua"
)

// TestEveryClassCanBeMade asks for each class, in a process of its own or not.
func TestEveryClassCanBeMade(t *testing.T) {
	d := New(struct{ wua.Host }{})
	for _, c := range Classes() {
		if d.Create(c.ProgID) == nil {
			t.Errorf("the double has no %s", c.ProgID)
		}
	}
	if d.Create("Microsoft.Update.Nothing") != nil {
		t.Error("the double makes what WUA does not have")
	}
}

func TestRegistration(t *testing.T) {
	text := Registration(`C:\double\wua.dll`)
	for _, c := range Classes() {
		for _, want := range []string{
			`\` + c.ProgID + "\\CLSID]\n@=\"" + c.CLSID + "\"\n",
			`\CLSID\` + c.CLSID + "\\InprocServer32]\n@=\"C:\\\\double\\\\wua.dll\"\n",
		} {
			if strings.Count(text, want) != 1 {
				t.Errorf("%q does not stand once in\n%s", want, text)
			}
		}
	}
}
