package cmdline

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var errDone = errors.New("done")

// program is `prog archive verify FILE` and `prog init --data DIR`.
func program(args ...string) (*cobra.Command, *strings.Builder) {
	done := func(*cobra.Command, []string) error { return errDone }
	root := &cobra.Command{Use: "prog", SilenceUsage: true, SilenceErrors: true}
	group := &cobra.Command{Use: "archive", Short: "the group"}
	verify := &cobra.Command{Use: "verify FILE", Args: cobra.ExactArgs(1), RunE: done}
	verify.Flags().Bool("fast", false, "")
	verify.Flags().Bool("slow", false, "")
	verify.Flags().Int("n", 1, "")
	Exclusive(verify.Flags(), "fast", "slow")
	group.AddCommand(verify)
	group.PersistentFlags().String("one", "", "")
	group.PersistentFlags().String("other", "", "")
	Exclusive(group.PersistentFlags(), "one", "other")
	init := &cobra.Command{Use: "init", Args: cobra.NoArgs, RunE: done}
	init.Flags().String("data", "", "")
	Require(init, "data")
	root.AddCommand(group, init)
	Strict(root)
	var out strings.Builder
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(io.Discard)
	return root, &out
}

func TestMistakes(t *testing.T) {
	for line, want := range map[string]string{
		"verfy":                              `prog has no command "verfy"; see: prog --help`,
		"archive verfy x":                    `prog archive has no command "verfy" (there is verify); see: prog archive --help`,
		"archive bogus --fast":               `prog archive has no command "bogus"; see: prog archive --help`,
		"archive --bogus":                    "unknown flag: --bogus; see: prog archive --help",
		"archive verify":                     "accepts 1 arg(s), received 0; see: prog archive verify --help",
		"archive verify x --n=y":             `see: prog archive verify --help`,
		"archive verify --fast --slow x":     "--slow does not go with --fast; see: prog archive verify --help",
		"archive verify --one=1 --other=":    "accepts 1 arg(s)",
		"archive verify --one=1 --other=2 x": "--other does not go with --one; see: prog archive verify --help",
		"init":                               `required flag(s) "data" not set; see: prog init --help`,
		"help bogus":                         `prog has no command "bogus"; see: prog --help`,
		"help archive bogus":                 `prog archive has no command "bogus"; see: prog archive --help`,
		"completion nosh":                    `prog completion has no command "nosh"`,
	} {
		root, out := program(strings.Fields(line)...)
		err := root.Execute()
		if !IsUsage(err) || !strings.Contains(err.Error(), want) || out.Len() > 0 {
			t.Errorf("%s: %v, printed %q; want %s", line, err, out, want)
		}
	}
}

func TestNoMistakes(t *testing.T) {
	for _, line := range []string{"archive verify x --fast", "archive verify --one=1 x", "init --data d"} {
		root, _ := program(strings.Fields(line)...)
		if err := root.Execute(); !errors.Is(err, errDone) || IsUsage(err) {
			t.Errorf("%s: %v, want the command's own error", line, err)
		}
	}
	for _, line := range []string{"", "archive", "archive --help", "help", "help archive", "help archive verify"} {
		root, out := program(strings.Fields(line)...)
		if err := root.Execute(); err != nil || !strings.Contains(out.String(), "Usage:") {
			t.Errorf("%q: %v, printed %q; want the help", line, err, out)
		}
	}
}
