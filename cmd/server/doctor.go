package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"footnote/internal/catalog/postgres"
	"footnote/internal/catalog/sqlite"
	"footnote/internal/config"
	embedlocal "footnote/internal/embed/local"
	"footnote/internal/llm"
	"footnote/internal/rag"
	"footnote/internal/simd"
)

// finding is one check of doctor.
type finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitempty"`
}

func (p *program) doctorCommand() *cobra.Command {
	var repair bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check configuration, store, model and endpoints, each with a remedy; exit code 1 when something is wrong",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var findings []finding
			if repair {
				c, err := p.config()
				if err != nil {
					return err
				}
				f, err := p.repair(cmd.Context(), c)
				if err != nil {
					return err
				}
				findings = append(findings, f)
			}
			findings = append(findings, p.examine(cmd.Context())...)
			bad := 0
			for _, f := range findings {
				if !f.OK {
					bad++
				}
			}
			if p.asJSON {
				if err := json.NewEncoder(p.stdout).Encode(map[string]any{"ok": bad == 0, "checks": findings}); err != nil {
					return err
				}
			} else {
				for _, f := range findings {
					mark := "ok   "
					if !f.OK {
						mark = "WRONG"
					}
					fmt.Fprintf(p.stdout, "%s  %-14s %s\n", mark, f.Check, f.Found)
					if f.Remedy != "" {
						fmt.Fprintf(p.stdout, "       %-14s → %s\n", "", f.Remedy)
					}
				}
			}
			if bad > 0 {
				return exitError{code: exitFailed, err: fmt.Errorf("%d of %d checks failed", bad, len(findings))}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "first make damaged or missing files of the embedded index anew from the catalog; no service may run on the data folder")
	return cmd
}

func (p *program) examine(ctx context.Context) []finding {
	c, err := p.config()
	if err != nil {
		return []finding{{Check: "configuration", Found: err.Error(), Remedy: "Correct the settings named above; footnote --help lists them."}}
	}
	out := []finding{{Check: "configuration", OK: true, Found: "every setting is valid"}}
	out = append(out, examineListen(ctx, c))
	if c.Postgres() {
		out = append(out, p.examinePostgres(ctx, c))
	} else {
		out = append(out, examineStore(ctx, c))
	}
	if c.Qdrant() {
		out = append(out, examineQdrant(ctx, c))
	} else {
		out = append(out, examineIndex(ctx, c))
	}
	started := time.Now()
	e, err := openEmbedder(ctx, c)
	switch {
	case err != nil:
		f := finding{Check: "embedding", Found: message(err), Remedy: "Correct FOOTNOTE_EMBED_BASE_URL, _MODEL and _API_KEY, or leave them out for the built-in model."}
		if c.EmbedFolder().Path != "" {
			f.Remedy = "docs/models.md says what the folder of FOOTNOTE_EMBED_MODEL must hold; without the setting, the built-in model is used."
		}
		out = append(out, f)
	default:
		_, err := e.EmbedQueries(ctx, []string{"Does it work? 能用吗？"})
		f := finding{Check: "embedding", OK: err == nil, Found: fmt.Sprintf("%s, %d dimensions, fingerprint %s, first vector after %s (kernels: %s)", e.Model(), e.Dimensions(), e.Fingerprint(), time.Since(started).Round(time.Millisecond), simd.Path())}
		if local, ok := e.(*embedlocal.Embedder); ok {
			query, document := local.Prefixes()
			f.Found += fmt.Sprintf("; %q before queries, %q before passages, at most %d tokens", query, document, e.MaxTokens())
		}
		if err != nil {
			f.Found, f.Remedy = message(err), "See that the endpoint named by FOOTNOTE_EMBED_BASE_URL answers."
			if c.EmbedBaseURL == "" {
				f.Remedy = "See that the model's folder is whole, and fetch it again if not."
			}
		}
		out = append(out, f)
		out = append(out, p.examineCollections(ctx, c, e))
	}
	return append(out, examineChat(ctx, c), examineRerank(ctx, c), examineJudge(ctx, c, p.logger(c, p.stderr)), examineOCR(ctx, c))
}

func examineListen(ctx context.Context, c config.Config) finding {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return finding{Check: "listen", OK: true, Found: c.Listen + " is taken: a service may be running there", Remedy: "If it is not Footnote, name another address with --listen."}
	}
	l.Close()
	return finding{Check: "listen", OK: true, Found: c.Listen + " is free"}
}

func examineStore(ctx context.Context, c config.Config) finding {
	f := finding{Check: "store"}
	if _, err := os.Stat(c.Data); errors.Is(err, os.ErrNotExist) {
		f.OK, f.Found = true, c.Data+" does not exist yet; it is made when the service starts"
		return f
	}
	probe, err := os.CreateTemp(c.Data, ".doctor-")
	if err != nil {
		f.Found, f.Remedy = message(err), "Make the folder writable for this user, or name another with --data."
		return f
	}
	probe.Close()
	os.Remove(probe.Name())
	path := filepath.Join(c.Data, "footnote.db")
	if _, err := os.Stat(path); err != nil {
		f.OK, f.Found = true, c.Data+" is writable and holds no store yet"
		return f
	}
	s, err := sqlite.Open(ctx, sqlite.Options{Path: path})
	if err == nil {
		err = errors.Join(s.Check(ctx), s.Close())
	}
	if err != nil {
		f.Found, f.Remedy = message(err), "Restore "+path+" from a backup; the index is rebuilt from it."
		return f
	}
	f.OK, f.Found = true, path+" can be read and written"
	return f
}

func (p *program) examinePostgres(ctx context.Context, c config.Config) finding {
	f := finding{Check: "catalog"}
	s, err := postgres.Open(ctx, postgres.Options{URL: c.Catalog.Reveal(), Patience: time.Second})
	if err == nil {
		err = errors.Join(s.Check(ctx), s.Close())
	}
	if err != nil {
		f.Found, f.Remedy = message(err), "See that the Postgres server of FOOTNOTE_CATALOG runs, and that user, password and database are right; the user must be allowed to create tables."
		return f
	}
	f.OK, f.Found = true, "Postgres can be read and written, and its schema is up to date"
	return f
}

func examineQdrant(ctx context.Context, c config.Config) finding {
	f := finding{Check: "index"}
	x, err := (&app{config: c}).openQdrant(ctx)
	if err == nil {
		err = errors.Join(x.Check(ctx), x.Close())
	}
	if err != nil {
		f.Found, f.Remedy = message(err), "See that the Qdrant server of FOOTNOTE_INDEX runs, that the port is that of gRPC (6334), and that the key is right."
		return f
	}
	f.OK, f.Found = true, "Qdrant answers; footnote reconcile --check compares it with the catalog"
	return f
}

// examineCollections looks for collections that another model embedded.
func (p *program) examineCollections(ctx context.Context, c config.Config, e embedder) finding {
	f := finding{Check: "collections", OK: true, Found: "none yet"}
	var s interface {
		Collections(ctx context.Context, after string, limit int) ([]rag.Collection, error)
		Close() error
	}
	var err error
	if c.Postgres() {
		s, err = postgres.Open(ctx, postgres.Options{URL: c.Catalog.Reveal(), Patience: time.Second})
	} else {
		path := filepath.Join(c.Data, "footnote.db")
		if _, err := os.Stat(path); err != nil {
			return f
		}
		s, err = sqlite.Open(ctx, sqlite.Options{Path: path})
	}
	if err != nil {
		return finding{Check: "collections", Found: message(err), Remedy: "See the check of the store."}
	}
	defer s.Close()
	all, err := s.Collections(ctx, "", 1000)
	if err != nil {
		return finding{Check: "collections", Found: message(err), Remedy: "See the check of the store."}
	}
	documents, chunks := 0, 0
	for _, col := range all {
		documents, chunks = documents+col.Documents, chunks+col.Chunks
		if col.Embedding.Fingerprint != e.Fingerprint() {
			f.OK, f.Remedy = false, fmt.Sprintf("Collection %q was embedded by %s: start the service with that model, or make a new collection and take the documents in again.", col.Name, col.Embedding.Model)
		}
	}
	if len(all) > 0 {
		f.Found = fmt.Sprintf("%d collections, %d documents, %d chunks", len(all), documents, chunks)
	}
	return f
}

func examineChat(ctx context.Context, c config.Config) finding {
	if c.LLMBaseURL == "" {
		return finding{Check: "language model", OK: true, Found: "none named: answers are extracted", Remedy: "Set FOOTNOTE_LLM_BASE_URL and FOOTNOTE_LLM_MODEL for written answers."}
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	chat := llm.New(llm.Options{BaseURL: c.LLMBaseURL, Model: c.LLMModel, APIKey: c.LLMAPIKey.Reveal()})
	said := 0
	err := chat.Generate(ctx, rag.Prompt{System: "Reply with the word yes.", Messages: []rag.Message{{Role: "user", Content: "Are you there?"}}, MaxTokens: 16},
		func(d rag.Delta) error { said += len(d.Text); return nil })
	if err != nil {
		return finding{Check: "language model", Found: message(err), Remedy: "Correct FOOTNOTE_LLM_BASE_URL, _MODEL and _API_KEY."}
	}
	return finding{Check: "language model", OK: true, Found: fmt.Sprintf("%s at %s answers", c.LLMModel, c.LLMBaseURL)}
}

func examineRerank(ctx context.Context, c config.Config) finding {
	if c.RerankBaseURL == "" {
		return finding{Check: "reranker", OK: true, Found: "no endpoint named (FOOTNOTE_RERANK=" + c.Rerank + ")"}
	}
	ctx, cancel := context.WithTimeout(ctx, c.RerankTimeout)
	defer cancel()
	_, err := llm.NewReranker(llm.RerankOptions{BaseURL: c.RerankBaseURL, Model: c.RerankModel, APIKey: c.RerankAPIKey.Reveal()}).Rerank(ctx, "Are you there?", []string{"Yes.", "No."})
	if err != nil {
		return finding{Check: "reranker", Found: message(err), Remedy: "Correct FOOTNOTE_RERANK_BASE_URL, _MODEL and _API_KEY; until then searches keep the fused order."}
	}
	return finding{Check: "reranker", OK: true, Found: c.RerankBaseURL + " answers"}
}
