// Package taskdialog shows the dialogs of package dialog as windows of
// Microsoft Windows: TaskDialogIndirect of comctl32.dll, version 6.
//
// # Layout
//
// The heading is the main instruction; text, list and status are the
// content; the check box is the verification. The functions of a task dialog
// take structures without padding (TASKDIALOGCONFIG and TASKDIALOG_BUTTON,
// commctrl.h), which Go does not have: layout.go writes them byte by byte.
// A task dialog cannot exchange its buttons, so each page of a view is a
// window of its own.
//
// # Version 6
//
// A program gets this version of comctl32.dll by a manifest. A manifest
// inside the program needs an object file made by a resource compiler for
// each platform, which would either be a binary among the sources or a step
// that a plain go build does not take. Instead a manifest is activated when a
// dialog is shown. Windows reads it from a file, which is made new in the
// folder for temporary files, where nobody else can change a file that
// another account has made, and removed as soon as Windows has read it.
//
// # Limits
//
// There is nothing to see in a session without a desktop, such as that of
// the services; Show then works like dialog.Silent as far as Windows lets it.
package taskdialog
