package fault

import (
	"os"
	"strconv"
	"testing"
	"time"

	"waptwua/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// number reads a number from the environment.
func number(t *testing.T, name string, def uint64) uint64 {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return def
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// seed is the seed of this run.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := number(t, "WAPTWUA_FAULT_SEED", uint64(time.Now().UnixNano())%1_000_000)
	t.Logf("WAPTWUA_FAULT_SEED=%d repeats the moments of this run", n)
	return n
}
