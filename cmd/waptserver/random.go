package main

import "math/rand/v2"

// randomMinute is a minute of the day: not all servers ask Microsoft at once.
func randomMinute() int { return rand.IntN(24 * 60) }
