// Package cmdline decides what the programs say to a wrong command line.
//
// Every mistake (an unknown subcommand or flag, too many or too few
// arguments, a required flag that is missing, flags that exclude each other, a
// value that cannot be) is an error made by Usage: it says what is wrong and
// which help page tells what is right, nothing is done, and the program ends
// with the status ExitUsage. A group of commands without a subcommand shows
// its help and that is no mistake; with one that it does not have, it is.
package cmdline

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ExitUsage is the exit status of a program whose command line was wrong.
const ExitUsage = 2

// usageError is a mistake on the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Usage makes err a mistake on the command line; nil stays nil.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// Usagef is Usage of a new error.
func Usagef(format string, args ...any) error { return Usage(fmt.Errorf(format, args...)) }

// IsUsage tells whether err is a mistake on the command line.
func IsUsage(err error) bool {
	var u usageError
	return errors.As(err, &u)
}

// Strict makes every mistake in a command line of root, or of the commands
// below it, one that Usage made. Call it when all commands have been added.
func Strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		// The flags may be those of a subcommand that was misspelt.
		if name := c.Flags().Arg(0); name != "" && c.HasSubCommands() {
			err = unknown(c, name)
		}
		return wrong(c, err)
	})
	strict(root)
	strictHelp(root)
}

// strictHelp has "help" refuse to tell about a command that is not there.
func strictHelp(root *cobra.Command) {
	help, _, err := root.Find([]string{"help"})
	if err != nil || help.Run == nil {
		return
	}
	show := help.Run
	help.Run = nil
	help.RunE = func(c *cobra.Command, args []string) error {
		found, rest, err := root.Find(args)
		switch {
		case err != nil:
			return wrong(root, err)
		case len(rest) > 0:
			return wrong(found, unknown(found, rest[0]))
		}
		show(c, args)
		return nil
	}
}

func strict(c *cobra.Command) {
	if c.HasSubCommands() && !c.Runnable() {
		c.Args = cobra.NoArgs
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	checkArgs(c)
	checkFlags(c)
	for _, sub := range c.Commands() {
		strict(sub)
	}
}

func checkArgs(c *cobra.Command) {
	args := c.Args
	if args == nil {
		return
	}
	c.Args = func(c *cobra.Command, list []string) error {
		err := args(c, list)
		if err != nil && c.HasSubCommands() {
			err = unknown(c, list[0])
		}
		return wrong(c, err)
	}
}

// checkFlags looks at the flags before cobra does, whose errors could not be
// told from those of the command.
func checkFlags(c *cobra.Command) {
	before := c.PreRunE
	c.PreRunE = func(c *cobra.Command, list []string) error {
		err := errors.Join(c.ValidateRequiredFlags(), c.ValidateFlagGroups(), conflict(c.Flags()))
		if err == nil && before != nil {
			return before(c, list)
		}
		return wrong(c, err)
	}
}

// wrong makes err a mistake in a command line of c.
func wrong(c *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return Usagef("%w; see: %s --help", err, c.CommandPath())
}

func unknown(c *cobra.Command, name string) error {
	if c.SuggestionsMinimumDistance <= 0 {
		c.SuggestionsMinimumDistance = 2
	}
	if like := c.SuggestionsFor(name); len(like) > 0 {
		return fmt.Errorf("%s has no command %q (there is %s)", c.CommandPath(), name, strings.Join(like, ", "))
	}
	return fmt.Errorf("%s has no command %q", c.CommandPath(), name)
}

// Require makes flags of c required, that c must have.
func Require(c *cobra.Command, names ...string) {
	for _, name := range names {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err) // no such flag: a mistake of the program
		}
	}
}

// exclusive is the annotation of flags that exclude each other: its values
// name their groups.
const exclusive = "waptwua_exclusive"

// Exclusive makes flags of f exclude each other.
func Exclusive(f *pflag.FlagSet, names ...string) {
	group := "--" + strings.Join(names, ", --")
	for _, name := range names {
		flag := f.Lookup(name)
		if flag.Annotations == nil {
			flag.Annotations = map[string][]string{}
		}
		flag.Annotations[exclusive] = append(flag.Annotations[exclusive], group)
	}
}

// conflict is an error when two flags were given that exclude each other.
func conflict(f *pflag.FlagSet) (err error) {
	given := map[string]string{}
	f.Visit(func(flag *pflag.Flag) {
		for _, group := range flag.Annotations[exclusive] {
			if other := given[group]; other != "" && err == nil {
				err = fmt.Errorf("--%s does not go with --%s", flag.Name, other)
			}
			given[group] = flag.Name
		}
	})
	return err
}
