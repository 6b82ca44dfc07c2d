package inproc

import (
	"testing"

	"go.uber.org/goleak"

	"waptwua/notify"
	"waptwua/notify/notifytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNotifier(t *testing.T) {
	notifytest.Run(t, func(*testing.T) notify.Notifier { return new(Notifier) })
}
