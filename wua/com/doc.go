// Package com is wua.Host over COM: it drives the Windows Update Agent (WUA)
// of the Windows that the program runs on.
//
// # How it talks
//
// All of WUA is reached by late binding (IDispatch and ProgIDs), so that a
// property an old agent does not know is an error of that property alone. One
// operating-system thread, in a multithreaded apartment, makes every call.
// What is COM is in the files named _windows.go, behind the two interfaces of
// object.go; everything else is portable, and the contract of package wuatest
// runs over it on every system as well as over real COM.
//
// # Searching
//
// An offline search registers the archive as a scan package service
// (AddScanPackageService) and searches that service alone; without an archive
// the host's own update server is asked. The service stays registered as long
// as what it offered may be installed: it is removed when the search fails,
// before the next search, and by Close. A service that a killed process left
// behind is recognised by its name and removed before the next search.
//
// What cannot be read costs nothing but itself, and is a warning: a property, a
// category, one KB of a list. An update of which a part (BundledUpdates) cannot
// be read is Incomplete; one that cannot be read at all, or has no readable
// identity, is counted as Lost. Only a collection without a length, and an
// agent that is gone, end a search.
//
// # Installing
//
// All updates of a call go to WUA as one installation. One that WUA does not
// take on its list, or gives no result for, has failed alone. WUA takes them in an
// order of its own (transcripts of real hosts show the last one first); the
// begin of each is told as WUA moves on, and a context that
// ends asks WUA to abort (RequestAbort) and returns its results so far. The
// calls that WUA offers no abort for run to their end on the COM thread: the
// caller gets the context's error after Options.Grace, and until the call has
// ended the host answers OperationInProgress.
//
// # Limits
//
// WUA runs on the local machine; a search needs an administrator, an
// installation too. Downloading is not asked of WUA: files are handed to it
// (Stage). Updates of handler OSInstaller do not take files this way.
//
// Source: the type library of WUA (wuapi.idl) and Microsoft's description of
// its interfaces.
package com
