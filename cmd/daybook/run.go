package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"daybook/configs"
)

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// app is one run of the command: where it reads and writes, and the flags that
// every command has.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string

	json   bool
	config string
	parsed bool // flags and arguments were good; errors from here on are no usage errors
}

// run runs the command line and gives the exit code: 0, 1 when something
// failed, 2 when it was called in a wrong way. It ends soon after ctx does.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, environ: environ}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	var usage *usageError
	code := exitFailed
	if !a.parsed || errors.As(err, &usage) {
		code = exitUsage
	}
	if errors.Is(err, errReported) {
		return code
	}
	if a.json {
		_ = json.NewEncoder(stderr).Encode(map[string]string{"error": err.Error()})
		return code
	}
	fmt.Fprintln(stderr, "daybook: "+err.Error())
	if code == exitUsage {
		fmt.Fprintf(stderr, "See \"%s --help\".\n", cmd.CommandPath())
	}
	return code
}

// usageError tells that the command was called in a wrong way.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// errReported tells that what went wrong was shown already; only the exit code
// is missing.
var errReported = errors.New("reported")

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "daybook",
		Short:         "A calendar daemon for places that are booked",
		Long:          "Daybook keeps the calendars of places that are booked, and shows the same facts over CalDAV, feeds and REST.\nBegin with: daybook serve",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRun: func(*cobra.Command, []string) {
			a.parsed = true
		},
	}
	p := root.PersistentFlags()
	p.StringVar(&a.config, "config", "", "configuration file (YAML; "+configs.ConfigEnv+")")
	p.BoolVar(&a.json, "json", false, "write results as JSON")
	configs.Flags(p, "data", "listen")
	root.AddCommand(
		a.serveCommand(), a.initCommand(), a.applyCommand(),
		a.organisationCommand(), a.userCommand(), a.resourceCommand(), a.groupCommand(), a.serviceCommand(), a.grantCommand(), a.tokenCommand(), a.feedCommand(),
		a.remoteCommand(),
		a.importCommand(), a.exportCommand(),
		a.backupCommand(), a.restoreCommand(), a.checkCommand(), a.compactCommand(), a.statusCommand(), a.jobCommand(),
		a.configCommand(), a.healthcheckCommand(), a.manCommand(), a.versionCommand(),
	)
	return root
}

// group makes a command that only has others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use: use, Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			var names []string
			for _, c := range cmd.Commands() {
				names = append(names, c.Name())
			}
			if len(args) > 0 {
				return usagef("unknown command %q; known are %s", args[0], strings.Join(names, ", "))
			}
			return usagef("say what to do: daybook %s %s", use, strings.Join(names, "|"))
		},
	}
	g.AddCommand(commands...)
	return g
}

// load reads the configuration with the flags of the command.
func (a *app) load(cmd *cobra.Command) (*configs.Loaded, error) {
	return configs.Load(configs.Sources{File: a.configFile(), Environ: a.environ, Flags: cmd.Flags()})
}

func (a *app) configFile() string {
	if a.config != "" {
		return a.config
	}
	for _, v := range a.environ {
		if path, ok := strings.CutPrefix(v, configs.ConfigEnv+"="); ok {
			return path
		}
	}
	return ""
}

// show writes a result: as JSON when that was asked for, else by human.
func (a *app) show(v any, human func(io.Writer)) error {
	if a.json {
		e := json.NewEncoder(a.stdout)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	human(a.stdout)
	return nil
}

// table writes rows of cells in columns; the first row is the head.
func table(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	_ = t.Flush() // it writes to w, whose errors show elsewhere
}
