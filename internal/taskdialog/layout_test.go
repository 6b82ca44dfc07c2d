package taskdialog

import (
	"encoding/binary"
	"testing"
	"time"

	"waptwua/dialog"
)

// The offsets are those of commctrl.h with one-byte packing, 64 bits.
func TestConfigBytes(t *testing.T) {
	c := config{flags: 1, title: 2, icon: 3, heading: 4, content: 5, buttons: 6, count: 7, standard: 2, verification: 8, expanded: 9, expandedText: 10, collapsedText: 11, footer: 12, callback: 13}
	b := c.bytes()
	if len(b) != 160 || binary.LittleEndian.Uint32(b) != 160 {
		t.Fatalf("%d bytes", len(b))
	}
	for at, want := range map[int]uint64{28: 2, 36: 3, 44: 4, 52: 5, 64: 6, 92: 8, 100: 9, 108: 10, 116: 11, 132: 12, 140: 13} {
		if got := binary.LittleEndian.Uint64(b[at:]); got != want {
			t.Errorf("at %d: %d, want %d", at, got, want)
		}
	}
	for at, want := range map[int]uint32{20: 1, 60: 7, 72: firstID + 2} {
		if got := binary.LittleEndian.Uint32(b[at:]); got != want {
			t.Errorf("at %d: %d, want %d", at, got, want)
		}
	}
	if b := buttonBytes([]uintptr{1, 2}); len(b) != 24 || binary.LittleEndian.Uint32(b[12:]) != firstID+1 || binary.LittleEndian.Uint64(b[16:]) != 2 {
		t.Errorf("buttons: %x", b)
	}
}

func TestFlags(t *testing.T) {
	question := dialog.NewRestart(dialog.RestartOptions{Choices: []time.Duration{time.Hour, 2 * time.Hour}, Left: 2})
	if got := flagsOf(question.View()); got != timer|fitContent|allowCancel|commandLinks {
		t.Errorf("question: %#x", got)
	}
	e := dialog.NewExit(dialog.ExitOptions{Updates: []string{"a"}, AllowCancel: true})
	e.Check(true)
	if got := flagsOf(e.View()); got != timer|fitContent|allowCancel|checked {
		t.Errorf("at shutdown: %#x", got)
	}
	e = dialog.NewExit(dialog.ExitOptions{Updates: []string{"a"}})
	e.Press(0, 0)
	if got := flagsOf(e.View()); got != timer|fitContent|progressBar {
		t.Errorf("installing: %#x", got)
	}
}

func TestContent(t *testing.T) {
	v := dialog.View{Text: "Text.", Items: []string{"a", "b"}, Status: "In a moment."}
	if got, want := content(v), "Text.\n\n• a\n• b\n\nIn a moment."; got != want {
		t.Errorf("got %q", got)
	}
	if got := content(dialog.View{}); got != "" {
		t.Errorf("got %q", got)
	}
}
