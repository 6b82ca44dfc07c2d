package main

import (
	"log/slog"
	"net/http"

	"waptwua/api"
	"waptwua/console"
	"waptwua/server"
)

// newConsole returns the administration's pages.
func newConsole(srv *server.Server, sessions *api.Sessions, log *slog.Logger) (http.Handler, error) {
	return console.New(console.ForServer(srv, sessions, log))
}
