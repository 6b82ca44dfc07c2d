//go:build !windows

package com

// throughCOM needs Windows.
var throughCOM enter
