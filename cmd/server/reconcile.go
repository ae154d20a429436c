package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"footnote/internal/rag"
)

func (p *program) reconcileCommand() *cobra.Command {
	var check, fix, rebuild bool
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Compare the index with the catalog: report, or mend, what the index has too much and what it lacks",
		Long: `The catalog is the truth; the index follows from it. Reconcile walks over both and reports, for each collection, orphans (points
that no active version lists; searches never show them) and holes (chunks that the index lacks). It may run while the service works. With --fix
it removes orphans and fills holes from the catalog, without embedding anything again; with --rebuild it writes every chunk again. Exit code 1
when --check found something.`,
		Example: `  footnote reconcile --check
  footnote reconcile --fix`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check && (fix || rebuild) {
				return rag.Errorf(rag.Invalid, "--check only looks; leave it out with --fix or --rebuild.")
			}
			c, err := p.config()
			if err != nil {
				return err
			}
			a, err := openApp(cmd.Context(), c, p.logger(c, p.stderr))
			if err != nil {
				return err
			}
			defer a.close()
			dirty := 0
			err = a.ingest.Reconcile(cmd.Context(), fix, rebuild, func(r rag.Reconciliation) error {
				if !r.Clean() {
					dirty++
				}
				if p.asJSON {
					return json.NewEncoder(p.stdout).Encode(map[string]any{"collection": r.Name, "id": r.ID, "chunks": r.Chunks, "points": r.Points, "orphans": r.Orphans,
						"holes": r.Holes, "rewritten": r.Rewritten, "missing": r.Missing, "leftover": r.Leftover, "fixed": r.Fixed})
				}
				switch {
				case r.Leftover:
					fmt.Fprintf(p.stdout, "%s: in the index only, a leftover of a deleted collection\n", r.ID)
				case r.Missing:
					fmt.Fprintf(p.stdout, "%s: the index lacks it; %d chunks are to be written\n", r.Name, r.Chunks)
				default:
					fmt.Fprintf(p.stdout, "%s: %d chunks, %d points, %d orphans, %d holes", r.Name, r.Chunks, r.Points, r.Orphans, r.Holes)
					if rebuild {
						fmt.Fprintf(p.stdout, ", %d written again", r.Rewritten)
					}
					fmt.Fprintln(p.stdout)
				}
				return nil
			})
			if err != nil {
				return err
			}
			switch {
			case dirty == 0 && !p.asJSON:
				fmt.Fprintln(p.stdout, "The index agrees with the catalog.")
			case dirty > 0 && !fix && !rebuild:
				return exitError{exitFailed, fmt.Errorf("%d collections disagree; footnote reconcile --fix mends them", dirty)}
			case dirty > 0 && !p.asJSON:
				fmt.Fprintln(p.stdout, "What was found has been mended.")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "only look (the default)")
	cmd.Flags().BoolVar(&fix, "fix", false, "remove orphans and fill holes")
	cmd.Flags().BoolVar(&rebuild, "rebuild", false, "write every chunk into the index again")
	return cmd
}
