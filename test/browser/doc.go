// Package browser looks at the console as people do: in a real browser,
// served by the real administration over the real services and a SQLite
// database with a small fleet in it.
//
// Its tests need Chromium (Debian's package "chromium"; another browser of
// its kind by WAPTWUA_CHROMIUM) and are skipped without it.
// WAPTWUA_SCREENSHOTS names a folder that gets a picture of every page.
package browser
