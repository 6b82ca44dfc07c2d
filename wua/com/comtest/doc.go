// Package comtest is a double of the Windows Update Agent (WUA) that speaks
// COM: the objects of its type library, late-bound, answered by a simulated
// host (package sim) that evaluates the same scan archive.
//
// The objects themselves are portable (Object): a test may ask them directly.
// On Windows, Server registers them as class objects of the test's own
// process, where they win over those that are installed. A test program that
// does so must start with GODEBUG=gcshrinkstackoff=1: a call through COM that
// ends in the same process runs on the calling goroutine's stack, which must
// not move meanwhile.
//
// The double counts the objects that are in use, and the members that were
// asked, and can make a member fail (Fail). Everything else that goes wrong is
// the simulated host's script.
//
// # Limits
//
// It knows the members that package com uses and no others; a test compares
// them with the interfaces that MinGW's wuapi.h publishes (it lacks the later
// ones, such as IUpdate2 and IUpdateServiceManager2). Errors are raised
// as EXCEPINFO, or as bare codes where a fault says so; which way the real
// agent takes is not proven by it. The Downloader has no network, and collections
// have no enumerator. Refuses to run on a real Windows. Imported by tests only.
package comtest
