// Package archtest holds the module to its plan: which package may import
// which, that no cycle hides behind a driver, and that every package says
// what it is. The rules are data (rules.go); .golangci.yml states the same
// for editors, and this test is what decides.
package archtest
