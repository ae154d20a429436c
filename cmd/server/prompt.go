package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"
)

// promptShown is a collection with its template.
type promptShown struct {
	Prompt *struct {
		System  *string `json:"system"`
		User    *string `json:"user"`
		Version int     `json:"version"`
	} `json:"prompt"`
}

func (p *program) promptCommand() *cobra.Command {
	var server string
	root := &cobra.Command{
		Use:   "prompt",
		Short: "Show and change how a collection has a language model asked",
		Long: `A prompt has two parts, system and user, each a template with {{.Passages}}, {{.Question}}, {{.Language}}, {{.LanguageTag}} and
{{.Refusal}}; docs/providers.md has more. A part that a collection does not set is the default's.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVar(&server, "server", "", "URL of a running service (default: the one that has the data folder, else this process)")
	do := func(method string, body func() (any, error)) func(cmd *cobra.Command, args []string) error {
		return func(cmd *cobra.Command, args []string) error {
			in, err := body()
			if err != nil {
				return err
			}
			c, end, err := p.connect(cmd.Context(), server)
			if err != nil {
				return err
			}
			defer end()
			var raw json.RawMessage
			if err := c.do(cmd.Context(), method, collectionPath(args[0]), in, "", &raw); err != nil {
				return err
			}
			return p.printPrompt(raw)
		}
	}
	var system, user string
	set := &cobra.Command{
		Use:     "set COLLECTION",
		Short:   "Set the template from files",
		Example: `  footnote prompt set handbook --system system.tmpl --user user.tmpl`,
		Args:    cobra.ExactArgs(1),
		RunE: do(http.MethodPatch, func() (any, error) {
			parts := map[string]string{}
			for name, path := range map[string]string{"system": system, "user": user} {
				if path == "" {
					continue
				}
				b, err := readInput(p.stdin, path)
				if err != nil {
					return nil, err
				}
				parts[name] = string(b)
			}
			return map[string]any{"prompt": parts}, nil
		}),
	}
	set.Flags().StringVar(&system, "system", "", "file with the system part; - for standard input")
	set.Flags().StringVar(&user, "user", "", "file with the user part")
	set.MarkFlagsOneRequired("system", "user")
	root.AddCommand(
		&cobra.Command{Use: "show COLLECTION", Short: "Print the template", Args: cobra.ExactArgs(1), RunE: do(http.MethodGet, func() (any, error) { return nil, nil })},
		set,
		&cobra.Command{Use: "reset COLLECTION", Short: "Go back to the default", Args: cobra.ExactArgs(1), RunE: do(http.MethodPatch, func() (any, error) { return map[string]any{"prompt": nil}, nil })},
	)
	return root
}

func readInput(stdin io.Reader, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(path)
}

func (p *program) printPrompt(collection json.RawMessage) error {
	var got promptShown
	if err := json.Unmarshal(collection, &got); err != nil {
		return err
	}
	switch {
	case p.asJSON:
		return json.NewEncoder(p.stdout).Encode(got.Prompt)
	case got.Prompt == nil:
		fmt.Fprintln(p.stdout, "The default prompt.")
		return nil
	}
	fmt.Fprintf(p.stdout, "Version %d\n", got.Prompt.Version)
	for _, part := range []struct {
		name string
		text *string
	}{{"system", got.Prompt.System}, {"user", got.Prompt.User}} {
		if part.text == nil {
			fmt.Fprintf(p.stdout, "\n--- %s: the default\n", part.name)
		} else {
			fmt.Fprintf(p.stdout, "\n--- %s\n%s\n", part.name, *part.text)
		}
	}
	return nil
}
