package taskdialog

import (
	"encoding/binary"
	"strings"

	"waptwua/dialog"
)

// The flags of a task dialog (TASKDIALOG_FLAGS).
const (
	allowCancel  = 0x0008
	commandLinks = 0x0010
	checked      = 0x0100
	progressBar  = 0x0200
	timer        = 0x0800
	fitContent   = 0x01000000
)

// firstID is the number of a view's first button; small numbers belong to
// Windows.
const firstID = 100

// config is a task dialog, with addresses of texts and buttons. The address
// zero is no text.
type config struct {
	flags                               uint32
	title, icon, heading, content       uintptr
	buttons                             uintptr
	count, standard                     int
	verification, expanded, callback    uintptr
	expandedText, collapsedText, footer uintptr
}

// bytes is c as a TASKDIALOGCONFIG with addresses of 64 bits: 160 bytes
// without padding.
func (c *config) bytes() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 160) // cbSize
	word := func(v uint32) { b = binary.LittleEndian.AppendUint32(b, v) }
	address := func(v uintptr) { b = binary.LittleEndian.AppendUint64(b, uint64(v)) }
	address(0) // hwndParent
	address(0) // hInstance
	word(c.flags)
	word(0) // dwCommonButtons
	address(c.title)
	address(c.icon)
	address(c.heading)
	address(c.content)
	word(uint32(c.count))
	address(c.buttons)
	word(uint32(firstID + c.standard)) // nDefaultButton
	word(0)                            // cRadioButtons
	address(0)                         // pRadioButtons
	word(0)                            // nDefaultRadioButton
	address(c.verification)
	address(c.expanded)
	address(c.expandedText)
	address(c.collapsedText)
	address(0) // hFooterIcon
	address(c.footer)
	address(c.callback)
	address(0) // lpCallbackData
	word(0)    // cxWidth
	return b
}

// buttonBytes are TASKDIALOG_BUTTONs of 12 bytes each.
func buttonBytes(texts []uintptr) []byte {
	var b []byte
	for i, t := range texts {
		b = binary.LittleEndian.AppendUint32(b, uint32(firstID+i))
		b = binary.LittleEndian.AppendUint64(b, uint64(t))
	}
	return b
}

// flagsOf are the flags for a view.
func flagsOf(v dialog.View) uint32 {
	flags := uint32(timer | fitContent)
	if _, ok := v.Dismiss(); ok {
		flags |= allowCancel
	}
	if v.Checked {
		flags |= checked
	}
	if v.Percent >= 0 {
		flags |= progressBar
	}
	if len(v.Buttons) > 3 {
		flags |= commandLinks
	}
	return flags
}

// content is the text below the heading.
func content(v dialog.View) string {
	var parts []string
	if v.Text != "" {
		parts = append(parts, v.Text)
	}
	if len(v.Items) > 0 {
		parts = append(parts, "\u2022 "+strings.Join(dialog.Shortened(v.Items), "\n\u2022 "))
	}
	if v.Status != "" {
		parts = append(parts, v.Status)
	}
	return strings.Join(parts, "\n\n")
}
