package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"waptwua"
	"waptwua/agent"
	"waptwua/agent/local"
)

// serviceFlag adds the flag with which the service does the work.
func (a *app) serviceFlag(c *cobra.Command) {
	c.Flags().BoolVarP(&a.byService, "service", "S", false, "let the running service do it, and show its progress")
}

// client talks to the service of the settings file.
func (a *app) client(dial func(dir string) *local.Client) (*local.Client, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	return dial(s.Dir), nil
}

func adminClient(dir string) *local.Client { return local.NewClient(local.Admins(dir)) }
func userClient(dir string) *local.Client  { return local.NewClient(local.Users(dir)) }

// order lets the service do something, shows how far it is, and prints what
// the service knows afterwards. When ctx ends the task is cancelled.
func (a *app) order(ctx context.Context, say told, o local.Order) error {
	began := time.Now()
	c, err := a.client(adminClient)
	if err != nil {
		return err
	}
	defer c.Close()
	t, err := c.Order(ctx, o)
	if err != nil {
		return err
	}
	t, err = c.Follow(ctx, t, a.taskProgress())
	if err != nil {
		return errors.Join(err, cancelTask(ctx, c, t.ID))
	}
	status, err := c.Status(ctx)
	if err != nil {
		return errors.Join(t.Err(), err)
	}
	return a.report(say(status, began), t.Err(), status)
}

// cancelWait is how long a command that was stopped takes to tell the service.
const cancelWait = 5 * time.Second

// cancelTask ends the task of a command that was stopped.
func cancelTask(ctx context.Context, c *local.Client, id uint64) error {
	if ctx.Err() == nil {
		return nil // the connection broke: the task goes on
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelWait)
	defer stop()
	_, err := c.Cancel(ctx, id)
	return err
}

// taskProgress shows a task on a terminal like an operation of our own.
func (a *app) taskProgress() func(local.Task) {
	show := a.progress()
	return func(t local.Task) {
		if show == nil || t.Progress == nil {
			return
		}
		show(agent.Progress{Operation: string(t.Kind), Name: t.Progress.Name, Done: int64(t.Progress.Percent), Total: 100})
	}
}

// serviceStatus prints what the service knows: to administrators everything,
// to others what every user may know.
func (a *app) serviceStatus(ctx context.Context, all bool) error {
	c, err := a.client(adminClient)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.Status(ctx)
	if errors.Is(err, waptwua.ErrForbidden) {
		return a.overview(ctx)
	}
	if err != nil {
		return err
	}
	return a.print(s, func(w io.Writer) error { return a.printStatus(w, statusOutput{Status: s}, all) })
}

func (a *app) overview(ctx context.Context) error {
	c, err := a.client(userClient)
	if err != nil {
		return err
	}
	defer c.Close()
	o, err := c.Overview(ctx)
	if err != nil {
		return err
	}
	return a.print(o, func(w io.Writer) error { return a.printOverview(w, o) })
}

func (a *app) printOverview(w io.Writer, o local.Overview) error {
	fmt.Fprintf(w, "status      %s\nscanned     %s\n", o.Status, age(o.Scanned, a.now()))
	if o.Restart {
		fmt.Fprintln(w, "restart     Windows must be restarted")
	}
	if r := o.Running; r != nil {
		fmt.Fprintf(w, "running     %s since %s\n", r.Kind, r.Started.Local().Format(time.TimeOnly))
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range o.Pending {
		fmt.Fprintf(t, "%s\t%s\n", p.Status, p.Title)
	}
	return t.Flush()
}

func (a *app) serviceTasksCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "tasks",
		Short:   "Print what the service does, will do and has done",
		Long:    "Prints the tasks of the running service: under way, waiting, and the last 30\nthat ended. Needs an administrator.",
		Example: "  wapt-get service tasks --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := a.client(adminClient)
			if err != nil {
				return err
			}
			defer cl.Close()
			list, err := cl.Tasks(c.Context())
			if err != nil {
				return err
			}
			return a.print(list, func(w io.Writer) error { return printTasks(w, list) })
		},
	}
}

func printTasks(w io.Writer, list []local.Task) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, task := range list {
		note := task.Error
		if p := task.Progress; note == "" && p != nil && !task.Ended() {
			note = fmt.Sprintf("%d %% %s", p.Percent, p.Name)
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", task.ID, task.Kind, task.Origin, task.State, task.Created.Local().Format(time.DateTime), note)
	}
	return t.Flush()
}

func (a *app) serviceCancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "cancel TASK",
		Short:   "End a task of the service, or take it out of the queue",
		Long:    "Ends a task of the running service, or takes it out of the queue; `wapt-get\nservice tasks` tells the numbers. Needs an administrator.",
		Example: "  wapt-get service cancel 12",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return usageError(fmt.Errorf("%q is not the number of a task", args[0]))
			}
			cl, err := a.client(adminClient)
			if err != nil {
				return err
			}
			defer cl.Close()
			t, err := cl.Cancel(c.Context(), id)
			if err != nil {
				return err
			}
			return a.print(t, func(w io.Writer) error { return printTasks(w, []local.Task{t}) })
		},
	}
}
