// Package e2e tests the whole system from outside: the programs as they are
// built, run as processes, asked through the doors that people and hosts use.
// Only Microsoft (a local origin) and Windows (simulated hosts, each the real
// agent) are not the real ones.
//
// # Verdicts
//
// What `waptserver catalog evaluate` says about a machine and what the
// console shows of a host with that machine are the same thing in two
// vocabularies. For a host whose rules allow everything and which has not
// installed anything:
//
//	applicable      PENDING or MISSING, with and without its files at hand
//	installed       OK
//	superseded      absent: the Windows Update Agent does not offer it
//	not applicable  absent
//	unknown         absent: nothing is offered on a guess
//
// An applicable update is SUPERSEDED when another one that the host lacks as
// well, or has, replaces it; the evaluation then calls it superseded, too, so
// that a host of these tests never shows it.
package e2e
