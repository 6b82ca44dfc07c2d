package main

import (
	"log/slog"
	"net/http"

	"waptwua/api"
	"waptwua/server"
)

// newConsole returns the administration's pages; nil: there are none.
func newConsole(*server.Server, *api.Sessions, *slog.Logger) http.Handler { return nil }
