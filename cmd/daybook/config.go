package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"daybook/configs"
)

func (a *app) configCommand() *cobra.Command {
	check := &cobra.Command{
		Use: "check", Short: "Check the configuration and tell everything that is wrong with it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := a.load(cmd)
			var problems configs.Problems
			if errors.As(err, &problems) && a.json {
				return errors.Join(a.show(map[string]any{"problems": problems}, nil), errReported)
			}
			if err != nil {
				return err
			}
			return a.show(map[string]any{"problems": []string{}}, func(w io.Writer) { fmt.Fprintln(w, "The configuration is good.") })
		},
	}
	show := &cobra.Command{
		Use: "print", Short: "Show every option's value and where it came from", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.load(cmd)
			if err != nil {
				return err
			}
			if a.json {
				return a.show(l.Settings(), nil)
			}
			return l.Print(a.stdout)
		},
	}
	example := &cobra.Command{
		Use: "example", Short: "Write an example configuration file", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return configs.Example(a.stdout) },
	}
	reference := &cobra.Command{
		Use: "reference", Short: "Write the reference of all options (Markdown)", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return configs.Reference(a.stdout) },
	}
	for _, c := range []*cobra.Command{check, show} {
		configs.Flags(c.Flags())
	}
	return group("config", "Look at the configuration", check, show, example, reference)
}
