package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"waptwua/agent"
	"waptwua/agent/settings"
	"waptwua/wua/native"
)

func (a *app) givebackCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "waptwua-giveback",
		Short: "Give Windows Update back as it was before wapt-get took it over",
		Long: `Puts back the policy values and the start mode of the Windows Update service
as they were before enabled = true took them over, whatever enabled says now.
What somebody else has changed since stays as it is. Run this before the agent
is removed. While enabled = true, the next operation takes over again.`,
		Example: "  wapt-get waptwua-giveback",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.giveBack(c.Context()) },
	}
}

// givenBack is the JSON form of what was done.
type givenBack struct {
	Problems []string      `json:"problems,omitempty"` // what stays as it is, and why
	Native   *native.Proof `json:"native,omitempty"`
}

func (a *app) giveBack(ctx context.Context) error {
	var out givenBack
	err := a.aloneWithNative(ctx, func(c *native.Control, _ *settings.Settings) (err error) {
		if out.Problems, err = c.Settle(ctx, native.Plan{Want: native.GiveBack}); err != nil {
			return err
		}
		out.Native, err = c.Prove(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return a.print(out, func(w io.Writer) error {
		for _, p := range out.Problems {
			fmt.Fprintln(w, p)
		}
		_, err := fmt.Fprintln(w, "Windows Update is as it was before wapt-get took it over")
		return err
	})
}

// aloneWithNative runs f while no operation runs on this host.
func (a *app) aloneWithNative(ctx context.Context, f func(*native.Control, *settings.Settings) error) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	sys, err := openNative(a.config)
	if err != nil {
		return err
	}
	return a.patiently(ctx, func(context.Context) error {
		return noOperationYet(agent.Alone(s.Dir, func() error { return f(newControl(sys, s.Dir, a.now), s) }))
	})
}

// noOperationYet explains that there is no agent's folder.
func noOperationYet(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: no operation has run on this host yet; begin with: wapt-get register", err)
	}
	return err
}
