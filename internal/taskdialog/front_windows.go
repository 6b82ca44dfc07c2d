package taskdialog

import (
	"context"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"waptwua/dialog"
)

// The messages to a task dialog (TASKDIALOG_MESSAGES), above WM_USER.
const (
	clickButton    = 0x0400 + 102
	setProgress    = 0x0400 + 106
	setElementText = 0x0400 + 108
	enableButton   = 0x0400 + 111
)

// The elements of setElementText.
const (
	elementContent = 0
	elementHeading = 3
)

// The notifications of a task dialog.
const (
	created       = 0
	buttonClicked = 2
	ticked        = 4
	boxClicked    = 8
)

// Results of a notification: whether a button closes the window.
const (
	closeIt = 0 // S_OK
	keepIt  = 1 // S_FALSE
)

// The icons: resources with negative numbers, as 16 bits.
const (
	warningIcon     = 0xFFFF
	informationIcon = 0xFFFD
)

// idCancel is what Windows reports for Escape and the closing cross.
const idCancel = 2

// Front shows dialogs as windows. The zero Front is ready; it must be used
// by one goroutine at a time.
type Front struct{}

// Show implements dialog.Front.
func (Front) Show(ctx context.Context, m dialog.Machine) error {
	runtime.LockOSThread() // a window belongs to the thread that made it
	defer runtime.UnlockOSThread()
	deactivate, err := activate()
	if err != nil {
		return err
	}
	defer deactivate()
	show := comctl32.NewProc("TaskDialogIndirect")
	if err := show.Find(); err != nil {
		return fmt.Errorf("showing a dialog: %w", err)
	}
	w := &window{m: m, ctx: ctx}
	w.callback = windows.NewCallback(w.notify)
	for m.Tick(time.Now()); ctx.Err() == nil; {
		v := m.View()
		if v.Closed {
			return nil
		}
		if err := w.page(show, v); err != nil {
			return err
		}
	}
	return ctx.Err()
}

var (
	comctl32 = windows.NewLazySystemDLL("comctl32.dll")
	user32   = windows.NewLazySystemDLL("user32.dll")
	send     = user32.NewProc("SendMessageW")
	place    = user32.NewProc("SetWindowPos")
)

// window is one page that is being shown.
type window struct {
	m        dialog.Machine
	ctx      context.Context // of Show, which ends when it returns: Windows calls notify without one
	callback uintptr
	shown    dialog.View
	leaving  bool // the window is to close, whatever button says so
}

// page shows one page until the machine leaves it.
func (w *window) page(show *windows.LazyProc, v dialog.View) error {
	w.shown, w.leaving = v, false
	var pins runtime.Pinner
	defer pins.Unpin()
	text := func(s string) uintptr { return pinned(&pins, s) }
	texts := make([]uintptr, 0, len(v.Buttons)+1)
	for _, b := range v.Buttons {
		texts = append(texts, text(b.Text))
	}
	if len(texts) == 0 {
		texts = append(texts, text(v.Locked)) // Windows would add one of its own
	}
	buttons := buttonBytes(texts)
	pins.Pin(&buttons[0])
	c := config{flags: flagsOf(v), title: text(v.Title), icon: informationIcon, heading: text(v.Heading), content: text(content(v)),
		buttons: uintptr(unsafe.Pointer(&buttons[0])), count: len(texts), standard: v.Default, callback: w.callback}
	if v.Warning {
		c.icon = warningIcon
	}
	if v.Check != "" {
		c.verification = text(v.Check)
	}
	b := c.bytes()
	hr, _, _ := show.Call(uintptr(unsafe.Pointer(&b[0])), 0, 0, 0)
	runtime.KeepAlive(b)
	if uint32(hr) != 0 {
		return fmt.Errorf("showing a dialog: HRESULT 0x%08X", uint32(hr))
	}
	return nil
}

// pinned is the address of s as UTF-16 until pins are undone; zero for none.
func pinned(pins *runtime.Pinner, s string) uintptr {
	if s == "" {
		return 0
	}
	u, err := windows.UTF16FromString(s)
	if err != nil {
		return 0 // a text with a zero character
	}
	pins.Pin(&u[0])
	return uintptr(unsafe.Pointer(&u[0]))
}

// notify is what Windows calls on everything that happens.
func (w *window) notify(hwnd, notification, wParam, _, _ uintptr) uintptr {
	switch notification {
	case created:
		w.lock(hwnd)
		w.onTop(hwnd)
	case ticked:
		w.m.Tick(time.Now())
		w.update(hwnd)
	case boxClicked:
		w.m.Check(wParam != 0)
	case buttonClicked:
		if w.leaving {
			return closeIt
		}
		w.press(int(wParam))
		w.update(hwnd)
		return keepIt
	}
	return 0
}

func (w *window) press(id int) {
	i := id - firstID
	if id == idCancel {
		var ok bool
		if i, ok = w.shown.Dismiss(); !ok {
			return
		}
	}
	w.m.Press(w.shown.Page, i)
}

// lock takes the button of a page that has none out of use.
func (w *window) lock(hwnd uintptr) {
	if len(w.shown.Buttons) == 0 {
		_, _, _ = send.Call(hwnd, enableButton, firstID, 0)
	}
}

// onTop puts a warning above other windows, without taking the keyboard.
func (w *window) onTop(hwnd uintptr) {
	const noSize, noMove, noActivate = 0x1, 0x2, 0x10
	if w.shown.Warning {
		_, _, _ = place.Call(hwnd, ^uintptr(0) /* HWND_TOPMOST */, 0, 0, 0, 0, noSize|noMove|noActivate)
	}
}

// update shows what has changed, and closes the window when the machine has
// left its page.
func (w *window) update(hwnd uintptr) {
	v := w.m.View()
	if v.Closed || v.Page != w.shown.Page || w.ctx.Err() != nil {
		w.leaving = true
		_, _, _ = send.Call(hwnd, enableButton, firstID, 1)
		_, _, _ = send.Call(hwnd, clickButton, firstID, 0)
		return
	}
	if v.Heading != w.shown.Heading {
		setText(hwnd, elementHeading, v.Heading)
	}
	if c := content(v); c != content(w.shown) {
		setText(hwnd, elementContent, c)
	}
	if v.Percent >= 0 && v.Percent != w.shown.Percent {
		_, _, _ = send.Call(hwnd, setProgress, uintptr(v.Percent), 0)
	}
	w.shown = v
}

func setText(hwnd uintptr, element uintptr, s string) {
	var pins runtime.Pinner
	defer pins.Unpin()
	_, _, _ = send.Call(hwnd, setElementText, element, pinned(&pins, s))
}

// UserLanguage is the language of the user's Windows.
func UserLanguage() dialog.Language {
	languages, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil || len(languages) == 0 {
		return dialog.English
	}
	return dialog.LanguageOf(languages[0])
}
