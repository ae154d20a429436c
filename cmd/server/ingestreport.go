package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// jobAnswer is the part of the API's job that the command line shows.
type jobAnswer struct {
	ID           string          `json:"id"`
	Collection   string          `json:"collection"`
	Status       string          `json:"status"`
	RawDocuments json.RawMessage `json:"documents"`
	Stages       []struct {
		Stage string `json:"stage"`
		Done  int    `json:"done"`
	} `json:"stages"`
	Error *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// done is how many of the job's documents are published.
func (j jobAnswer) done() int {
	for _, s := range j.Stages {
		if s.Stage == "publish" {
			return s.Done
		}
	}
	return 0
}

type documentAnswer struct {
	ID         string   `json:"id"` // empty where nothing can be made of the file
	ExternalID string   `json:"external_id"`
	Archive    string   `json:"archive"`
	State      string   `json:"state"`
	Unchanged  bool     `json:"unchanged"`
	Warnings   []string `json:"warnings"`
	Error      *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// ingestReport is what became of the files.
type ingestReport struct {
	started              time.Time
	published, unchanged int
	removed              int // that came in an archive and are no more in it
	failures             []fileFailure
	warned               []fileWarnings
	skipped              []fileWarnings // files of archives
	unpacked             []string       // a line for each file of an archive
	jobs                 []json.RawMessage
}

func newReport() *ingestReport {
	return &ingestReport{started: time.Now(), jobs: []json.RawMessage{}, failures: []fileFailure{}, warned: []fileWarnings{}, skipped: []fileWarnings{}}
}

// fileFailure is a file that could not be taken in; Job is empty where the service refused it at once, or it could not be read here.
type fileFailure struct {
	ExternalID string `json:"external_id"`
	Job        string `json:"job,omitempty"`
	Code       string `json:"code,omitempty"`
	Message    string `json:"message"`
}

type fileWarnings struct {
	ExternalID string   `json:"external_id"`
	Warnings   []string `json:"warnings"`
}

// add notes a job's documents.
func (r *ingestReport) add(job string, documents []documentAnswer) {
	for _, d := range documents {
		said := ""
		switch {
		case d.Error != nil:
			r.failures = append(r.failures, fileFailure{d.ExternalID, job, d.Error.Code, d.Error.Message})
		case d.State == "skipped":
			r.skipped = append(r.skipped, fileWarnings{d.ExternalID, d.Warnings})
			continue
		case d.State == "removed":
			r.removed++
			said = "removed"
		case d.Unchanged:
			r.unchanged++
			said = "unchanged"
		case d.State == "published":
			r.published++
			said = "taken in"
		}
		if d.Archive != "" && said != "" {
			r.unpacked = append(r.unpacked, said+" "+d.ExternalID)
		}
		if len(d.Warnings) > 0 {
			r.warned = append(r.warned, fileWarnings{d.ExternalID, d.Warnings})
		}
	}
}

// report prints the summary: what could not be read on stderr, the failed files last.
func (p *program) report(collection string, r *ingestReport) error {
	if p.asJSON {
		err := json.NewEncoder(p.stdout).Encode(map[string]any{"collection": collection, "published": r.published, "unchanged": r.unchanged, "removed": r.removed, "failed": len(r.failures),
			"failures": r.failures, "warnings": r.warned, "skipped": r.skipped, "jobs": r.jobs})
		if err != nil {
			return err
		}
	} else {
		for _, line := range r.unpacked {
			fmt.Fprintln(p.stderr, line)
		}
		for _, f := range r.skipped {
			fmt.Fprintf(p.stderr, "skipped %s: %s\n", f.ExternalID, strings.Join(f.Warnings, " "))
		}
		for _, w := range r.warned {
			for _, text := range w.Warnings {
				fmt.Fprintf(p.stderr, "warning %s: %s\n", w.ExternalID, text)
			}
		}
		counts := []string{fmt.Sprintf("%d taken in", r.published), fmt.Sprintf("%d unchanged", r.unchanged)}
		if r.removed > 0 {
			counts = append(counts, fmt.Sprintf("%d removed", r.removed))
		}
		if len(r.skipped) > 0 {
			counts = append(counts, fmt.Sprintf("%d skipped", len(r.skipped)))
		}
		if len(r.warned) > 0 {
			counts = append(counts, fmt.Sprintf("%d with warnings", len(r.warned)))
		}
		state := "is up to date"
		if len(r.failures) > 0 {
			state = "lacks some files"
			counts = append(counts, fmt.Sprintf("%d failed", len(r.failures)))
		}
		fmt.Fprintf(p.stdout, "collection %s %s after %s: %s\n", collection, state, time.Since(r.started).Round(time.Millisecond), strings.Join(counts, ", "))
		for _, f := range r.failures {
			fmt.Fprintf(p.stderr, "failed %s: %s\n", f.ExternalID, f.Message)
		}
	}
	if len(r.failures) > 0 {
		return &lacksFiles{failed: len(r.failures), taken: r.published + r.unchanged, collection: collection}
	}
	return nil
}

// lacksFiles says that some of the files could not be taken in; the report has named them.
type lacksFiles struct {
	failed, taken int
	collection    string
}

func (e *lacksFiles) Error() string {
	return fmt.Sprintf("%d documents could not be taken in; run the command again when the cause is mended: it takes up these alone. Where it was none of the files, footnote ingest --retry --collection %s does without them",
		e.failed, e.collection)
}

// onTerminal tells whether somebody watches the progress.
func (p *program) onTerminal() bool {
	f, ok := p.stderr.(*os.File)
	return ok && !p.asJSON && term.IsTerminal(int(f.Fd()))
}

// progress shows how many documents are done.
type progress struct {
	add   func(n int)
	close func()
}

// progress is a bar on a terminal, with the rate and the time that is left; plain lines elsewhere, nothing with --json.
func (p *program) progress(total int) progress {
	nothing := func() {}
	if p.asJSON {
		return progress{func(int) {}, nothing}
	}
	if p.onTerminal() {
		bar := progressbar.NewOptions(total, progressbar.OptionSetWriter(p.stderr), progressbar.OptionSetDescription("documents"), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("documents"), progressbar.OptionSetPredictTime(true), progressbar.OptionShowElapsedTimeOnFinish(), progressbar.OptionClearOnFinish())
		return progress{func(n int) { _ = bar.Add(n) }, func() { _ = bar.Finish() }}
	}
	done := 0
	return progress{func(n int) {
		if n > 0 {
			done += n
			fmt.Fprintf(p.stderr, "%d of %d documents\n", done, total)
		}
	}, nothing}
}
