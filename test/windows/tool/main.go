// Command tool stands in a Wine prefix in place of programs that Windows
// itself brings. Which one it is, its file name says:
//
//	dism.exe      /Online /Add-Package, /Get-Packages: servicing of the machine
//	wusa.exe      FILE.msu, /uninstall /kb:NUMBER
//	shutdown.exe  leaves the note RestartFile in the machine's folder
//
// or it runs a program: exitcode.exe FILE PROGRAM ARG… writes PROGRAM's exit code
// into FILE, because Wine kills a process that takes longer than a second
// to end, and its exit code is then lost to Linux.
//
// It works on the machine that C:\waptwua-double.json describes, beside the
// double of the update agent: packages are those of the scan archive that is
// registered with it. Exit codes are those of the simulator (package sim), and
// 87 for what it does not understand. Each call is a line in the machine's
// tools.log (machine.ToolCall), so that a test knows that Wine has not run a
// builtin instead. Wine does so unless the registry names the program as
// "native".
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"waptwua"
	"waptwua/test/windows/machine"
	"waptwua/wua"
	"waptwua/wua/sim"
)

func main() {
	if len(os.Args) > 2 && strings.HasSuffix(os.Args[0], machine.ExitCodeProgram) {
		if err := keepExitCode(os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(int(broken))
		}
		return
	}
	exit, err := run(context.Background(), machine.ConfigPath, os.Args, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(int(exit))
}

// The exit codes of the tool itself.
const (
	notUnderstood uint32 = 87 // ERROR_INVALID_PARAMETER
	broken        uint32 = 31 // ERROR_GEN_FAILURE
)

// run does what a command line asks for and writes it into the journal.
func run(ctx context.Context, config string, args []string, out io.Writer) (exit uint32, err error) {
	c, err := machine.Read(config)
	if err != nil {
		return broken, err
	}
	path := strings.ReplaceAll(args[0], `\`, "/")
	name := strings.ToLower(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	t := &tool{config: c, out: out}
	if exit, err = t.do(ctx, name, args[1:]); err != nil {
		exit = broken
	}
	line, jsonErr := json.Marshal(machine.ToolCall{Program: name, Args: args[1:], Exit: exit})
	if err == nil {
		err = jsonErr
	}
	if logged := c.Log(machine.ToolsFile, string(line)); err == nil {
		err = logged
	}
	return exit, err
}

// keepExitCode runs a command and writes its exit code into the file.
func keepExitCode(file string, command []string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return err
	}
	return os.WriteFile(file, []byte(strconv.Itoa(cmd.ProcessState.ExitCode())), 0o600)
}

type tool struct {
	config *machine.Config
	out    io.Writer
}

func (t *tool) do(ctx context.Context, name string, args []string) (uint32, error) {
	switch {
	case name == "shutdown":
		return 0, t.config.Log(machine.RestartFile, strings.Join(args, " "))
	case name == "wusa" && len(args) > 1 && args[0] == "/uninstall":
		return t.remove(ctx, args[1])
	case name == "wusa" && len(args) > 0:
		return t.add(ctx, wua.ToolWUSA, args[0])
	case name == "dism" && len(args) > 2 && args[1] == "/Add-Package":
		path, ok := strings.CutPrefix(args[2], "/PackagePath:")
		if !ok {
			return notUnderstood, nil
		}
		return t.add(ctx, wua.ToolDISM, path)
	case name == "dism" && len(args) > 1 && args[1] == "/Get-Packages":
		return 0, t.list()
	}
	return notUnderstood, nil
}

// add installs a package file, or the packages of a folder.
func (t *tool) add(ctx context.Context, by wua.Tool, path string) (uint32, error) {
	set := wua.PackageSet{Tool: by, Folder: filepath.Dir(path), Target: filepath.Base(path)}
	if fi, err := os.Stat(path); err != nil {
		return 2, nil // ERROR_FILE_NOT_FOUND
	} else if fi.IsDir() {
		set.Folder, set.Target = path, ""
	}
	host, err := t.search(ctx)
	if err != nil {
		return 0, err
	}
	r, err := host.AddPackages(ctx, set, func(p wua.Progress) { fmt.Fprintf(t.out, "[=== %d.0%% ===]\r\n", p.Percent) })
	if err != nil {
		return 0, err
	}
	for _, p := range r.Packages {
		if err := t.config.Log(machine.PackagesFile, fmt.Sprintf("%s | %s | Update | 11/24/2026 0:00 AM", p.Identity, p.State)); err != nil {
			return 0, err
		}
	}
	return exitOf(r), nil
}

// remove takes /kb:NUMBER off the machine.
func (t *tool) remove(ctx context.Context, arg string) (uint32, error) {
	kb, err := waptwua.ParseKB(strings.TrimPrefix(arg, "/kb:"))
	if err != nil {
		return notUnderstood, nil
	}
	host, err := t.search(ctx)
	if err != nil {
		return 0, err
	}
	r, err := host.RemovePackage(ctx, kb, nil)
	if err != nil {
		return 0, err
	}
	return exitOf(r), nil
}

// exitOf is the exit code that says r.
func exitOf(r *wua.PackageResult) uint32 {
	if r.Exit == wua.OK && r.RebootRequired {
		return 3010
	}
	return uint32(r.Exit)
}

// search opens the machine and has it look into the archive that is
// registered as a scan package service: what it then offers, it can install.
func (t *tool) search(ctx context.Context) (*sim.Host, error) {
	archive, err := t.config.Archive()
	if err != nil {
		return nil, err
	}
	host, err := t.config.Open()
	if err != nil {
		return nil, err
	}
	_, err = host.Search(ctx, wua.Query{Archive: archive})
	return host, err
}

// list prints the packages that were installed, as /Format:Table does.
func (t *tool) list() error {
	b, err := os.ReadFile(filepath.Join(t.config.Dir, machine.PackagesFile))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	_, err = fmt.Fprintf(t.out, "Package Identity | State | Release Type | Install Time\r\n%s\r\nThe operation completed successfully.\r\n", b)
	return err
}
