// Package server is the fleet's work as services: enrolment, reports, the
// updates seen, downloads, rules, accounts, audit.
package server
