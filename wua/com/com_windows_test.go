package com

import (
	"fmt"
	"os"
	"testing"

	"waptwua/wua/com/comtest"
)

// theServer is where the double is registered for this process.
var theServer *comtest.Server

func TestMain(m *testing.M) {
	server, err := comtest.Serve()
	if err != nil {
		fmt.Fprintln(os.Stderr, "the tests of package com need the double:", err)
		os.Exit(1)
	}
	theServer = server
	code := m.Run()
	server.Close()
	os.Exit(code)
}

// throughCOM reaches the double by real COM.
var throughCOM enter = func(_ *testing.T, d *comtest.Double) func() (apartment, error) {
	return func() (apartment, error) {
		theServer.Use(d)
		growStack()
		return enterCOM()
	}
}

// growStack makes the stack of the COM thread as large as the double will
// need, which answers on it: it must not move during a call.
//
//go:noinline
func growStack() byte {
	var large [1 << 20]byte
	for i := range large {
		large[i] = byte(i)
	}
	return large[len(large)/2]
}

func TestContractThroughCOM(t *testing.T) { runContract(t, throughCOM) }
