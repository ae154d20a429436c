package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// keyJSON is the part of a key that the command line shows.
type keyJSON struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Prefix      string     `json:"prefix"`
	Scope       string     `json:"scope"`
	Collections []string   `json:"collections"`
	PerMinute   int        `json:"per_minute"`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   *time.Time `json:"expires_at"`
	LastUsedAt  *time.Time `json:"last_used_at"`
	RevokedAt   *time.Time `json:"revoked_at"`
	Secret      string     `json:"secret"`
}

func (p *program) keysCommand() *cobra.Command {
	var server string
	root := &cobra.Command{
		Use:   "keys",
		Short: "Make, list and revoke API keys",
		Long: `Keys have a scope (read, write or admin, each including the ones before), may be limited to collections, to a number of
requests a minute and in time. A secret is shown once, when its key is made; only its hash is kept. As soon as one key
exists, every request needs one.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVar(&server, "server", "", "URL of a running service (default: the one that has the data folder, else this process)")

	root.AddCommand(p.keysCreateCommand(&server), p.keysListCommand(&server), p.keysRevokeCommand(&server))
	return root
}

func (p *program) keysCreateCommand(server *string) *cobra.Command {
	var name, scope string
	var collections []string
	var perMinute int
	var expires time.Duration
	cmd := &cobra.Command{
		Use:     "create",
		Short:   "Make a key and print its secret",
		Example: `  footnote keys create --name "web app" --scope read --collections handbook --per-minute 600 --expires 2160h`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, end, err := p.connect(cmd.Context(), *server)
			if err != nil {
				return err
			}
			defer end()
			body := map[string]any{"name": name, "scope": scope, "per_minute": perMinute}
			if len(collections) > 0 {
				body["collections"] = collections
			}
			if expires > 0 {
				body["expires_at"] = time.Now().Add(expires).UTC().Format(time.RFC3339)
			}
			var raw json.RawMessage
			if err := c.do(cmd.Context(), http.MethodPost, "/v1/keys", body, "", &raw); err != nil {
				return err
			}
			if p.asJSON {
				_, err := fmt.Fprintln(p.stdout, string(raw))
				return err
			}
			var k keyJSON
			if err := json.Unmarshal(raw, &k); err != nil {
				return err
			}
			fmt.Fprintf(p.stderr, "Key %s (%s) is made. Its secret is shown only now:\n", k.ID, k.Scope)
			_, err = fmt.Fprintln(p.stdout, k.Secret) // nobody will see it again
			return err
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "what the key is for (needed)")
	cmd.Flags().StringVar(&scope, "scope", "read", "read, write or admin")
	cmd.Flags().StringSliceVar(&collections, "collections", nil, "limit it to these collections (default: all)")
	cmd.Flags().IntVar(&perMinute, "per-minute", 0, "requests a minute (default: no limit)")
	cmd.Flags().DurationVar(&expires, "expires", 0, "let it expire after this time, such as 2160h (default: never)")
	_ = cmd.MarkFlagRequired("name") // the flag exists
	return cmd
}

func (p *program) keysListCommand(server *string) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List keys, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, end, err := p.connect(cmd.Context(), *server)
			if err != nil {
				return err
			}
			defer end()
			keys := []keyJSON{}
			for after := ""; ; {
				var page struct {
					Data []keyJSON
					Next *string `json:"next_cursor"`
				}
				if err := c.do(cmd.Context(), http.MethodGet, "/v1/keys?limit=200&after="+url.QueryEscape(after), nil, "", &page); err != nil {
					return err
				}
				keys = append(keys, page.Data...)
				if page.Next == nil {
					break
				}
				after = *page.Next
			}
			if p.asJSON {
				return json.NewEncoder(p.stdout).Encode(keys)
			}
			return keyTable(p.stdout, keys)
		},
	}
}

// keyTable writes keys for people, a line each.
func keyTable(out io.Writer, keys []keyJSON) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tPREFIX\tSCOPE\tCOLLECTIONS\tPER MINUTE\tEXPIRES\tLAST USED\tSTATE")
	for _, k := range keys {
		state := "active"
		switch {
		case k.RevokedAt != nil:
			state = "revoked"
		case k.ExpiresAt != nil && k.ExpiresAt.Before(time.Now()):
			state = "expired"
		}
		limit := "-"
		if k.PerMinute > 0 {
			limit = strconv.Itoa(k.PerMinute)
		}
		reach := strings.Join(k.Collections, ",")
		if reach == "" {
			reach = "all"
		}
		fmt.Fprintf(w, "%s\t%s\t%s…\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, k.Prefix, k.Scope, reach, limit, day(k.ExpiresAt), day(k.LastUsedAt), state)
	}
	return w.Flush()
}

func (p *program) keysRevokeCommand(server *string) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "End the use of a key, for good",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, end, err := p.connect(cmd.Context(), *server)
			if err != nil {
				return err
			}
			defer end()
			var k keyJSON
			if err := c.do(cmd.Context(), http.MethodDelete, "/v1/keys/"+url.PathEscape(args[0]), nil, "", &k); err != nil {
				return err
			}
			if p.asJSON {
				return json.NewEncoder(p.stdout).Encode(k)
			}
			fmt.Fprintf(p.stdout, "Key %s (%s) is revoked.\n", k.ID, k.Name)
			return nil
		},
	}
}

func day(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}
