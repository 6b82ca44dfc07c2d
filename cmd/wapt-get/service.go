package main

import (
	"log/slog"

	"github.com/spf13/cobra"
)

func (a *app) serviceCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "service",
		Short: "Run as a service",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(&cobra.Command{
		Use:   "run",
		Short: "Do what the settings schedule, until stopped",
		Long: `Does what the settings schedule, one thing at a time, until it is stopped by
SIGINT or SIGTERM. wapt-get.ini is read again when it changes. What a killed
service left unfinished is finished first.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.settings()
			if err != nil {
				return err
			}
			log := slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: level(s.LogLevel)}))
			ag, _, err := a.openWith(log)
			if err != nil {
				return err
			}
			defer ag.Close()
			log.Info("service runs", "version", version, "config", a.config)
			err = ag.Run(c.Context())
			log.Info("service stops")
			return err
		},
	})
	return c
}

// level is the log level of a loglevel option.
func level(s string) slog.Level {
	switch s {
	case "debug":
		return slog.LevelDebug
	case "warning":
		return slog.LevelWarn
	case "error", "critical":
		return slog.LevelError
	}
	return slog.LevelInfo
}
