package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/local"
)

func (a *app) uninstallCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "waptwua-uninstall KB | UPDATEID_REVISION…",
		Short: "Remove updates from this host",
		Long: `Removes updates, searches again and reports. What the Windows Update Agent can
remove it removes; for all else the packages of the KB are removed by DISM or,
where DISM knows none, by wusa. A KB that no scan has found can be removed too.
The host is not restarted.

An update that the rules still allow is installed again at the next run:
forbid it first (forbidden_kbs). [waptwua] enabled must be true.`,
		Example: `  wapt-get waptwua-uninstall KB5040442`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.operate(c.Context(), always("removed"), local.Order{Kind: local.Remove, Only: args}, func(ctx context.Context, ag *agent.Agent) error {
				return remove(ctx, ag, args)
			})
		},
	}
	a.serviceFlag(c)
	return c
}

// remove turns the arguments into what is known of them, and removes that.
func remove(ctx context.Context, ag *agent.Agent, args []string) error {
	known, err := ag.Status()
	if err != nil {
		return err
	}
	o, err := toRemove(known, args)
	if err != nil {
		return err
	}
	return ag.Uninstall(ctx, o)
}

// toRemove turns the arguments into what is known of them. A KB of several
// updates means those that are installed.
func toRemove(known *agent.Status, args []string) (o agent.UninstallOptions, err error) {
	for _, arg := range args {
		found := false
		for _, id := range match(known, arg) {
			if s := known.State.Updates[id].Status; s == waptwua.StatusOK || s == waptwua.StatusReboot {
				o.Updates, found = append(o.Updates, id), true
			}
		}
		if found {
			continue
		}
		kb, err := waptwua.ParseKB(arg)
		if err != nil {
			return o, fmt.Errorf("update %s: no scan of this host has found it installed: %w", arg, waptwua.ErrNotFound)
		}
		o.KBs = append(o.KBs, kb)
	}
	return o, nil
}
