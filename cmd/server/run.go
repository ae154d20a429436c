package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"footnote/internal/config"
	"footnote/internal/rag"
)

// version is set by the linker in releases.
var version = "0.1.0-dev"

// Exit codes, for scripts.
const (
	exitOK        = 0
	exitFailed    = 1 // it was tried and did not work
	exitUsage     = 2 // the command line or the configuration is wrong
	exitAbstained = 3 // it worked, and the documents have no answer
)

// exitError carries an exit code through cobra. A nil Err prints nothing.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// program is what every command works with.
type program struct {
	environ        []string
	stdin          io.Reader
	stdout, stderr io.Writer

	file   string // --config
	asJSON bool   // --json
	flags  map[string]string
}

// run is the whole program: it returns the exit code. Tests call it with their own arguments, environment and streams.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{environ: environ, stdin: stdin, stdout: stdout, stderr: stderr, flags: map[string]string{}}
	root := p.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitFailed
	if e, ok := errors.AsType[exitError](err); ok {
		code = e.code
	} else if usageError(err) {
		code = exitUsage
	}
	if msg := message(err); msg != "" {
		fmt.Fprintln(stderr, "footnote: "+msg)
	}
	return code
}

// usageError tells cobra's own complaints, which have no type, from ours.
func usageError(err error) bool {
	for _, start := range []string{"unknown command", "unknown flag", "unknown shorthand", "flag needs", "invalid argument", "accepts ", "requires ", "required flag"} {
		if strings.HasPrefix(err.Error(), start) {
			return true
		}
	}
	return rag.CodeOf(err) == rag.Invalid
}

// message is what a person should read: a domain error's own words and its cause, without what was wrapped around them, else the error.
func message(err error) string {
	if e, ok := errors.AsType[*rag.Error](err); ok {
		return e.Error()
	}
	return err.Error()
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "footnote",
		Short: "Ask your documents questions; every claim of the answer carries a footnote that can be checked",
		Long: `Footnote answers questions from your documents, in English and Chinese. Every claim carries a citation: the exact span of the
exact source, verified by code. What is not in the documents is said not to be. Nothing else needs to be installed, and
nothing leaves this machine unless you name a model's endpoint.`,
		Example: `  footnote                                              start the service on 127.0.0.1:8080
  footnote ingest ./docs --collection handbook          take in a folder
  footnote ask --collection handbook "How long is parental leave?"
  footnote ask --docs ./docs "育儿假有多长？"               answer from a folder, leaving nothing behind`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context()) },
	}
	root.PersistentFlags().StringVar(&p.file, "config", "", "configuration file (default ./footnote.yaml, when there is one)")
	root.PersistentFlags().BoolVar(&p.asJSON, "json", false, "print JSON")
	p.setting(root, "listen", "LISTEN", "address of serve (default 127.0.0.1:8080)")
	p.setting(root, "data", "DATA", "folder of the embedded store (default ./footnote-data)")
	p.setting(root, "catalog", "CATALOG", "sqlite, or postgres://user:password@host:5432/database (default sqlite)")
	p.setting(root, "index", "INDEX", "local, or qdrant://[key@]host:6334, qdrants:// for TLS (default local)")
	p.setting(root, "cpu", "CPU", "generic, avx2, avxvnni, avx512, neon or neondot (default: the best this machine has)")
	p.setting(root, "log-level", "LOG_LEVEL", "debug, info, warn or error (default info)")
	p.setting(root, "log-format", "LOG_FORMAT", "text or json (default text)")
	p.setting(root, "llm-base-url", "LLM_BASE_URL", "OpenAI-compatible chat endpoint, such as http://127.0.0.1:11434/v1 (default: none, extractive answers)")
	p.setting(root, "llm-model", "LLM_MODEL", "model name at that endpoint")
	p.setting(root, "rerank-base-url", "RERANK_BASE_URL", "rerank endpoint of Cohere's, Jina's or text-embeddings-inference's kind (default: none)")
	p.setting(root, "rerank-model", "RERANK_MODEL", "model name at that endpoint")
	p.setting(root, "embed-base-url", "EMBED_BASE_URL", "OpenAI-compatible embeddings endpoint (default: the built-in model)")
	p.setting(root, "embed-model", "EMBED_MODEL", "model name at that endpoint, or, without one, a folder with a model (docs/models.md)")
	root.PersistentFlags().BoolFunc("insecure", "listen beyond loopback without an API key", func(v string) error {
		p.flags["INSECURE"] = v
		return nil
	})
	root.AddCommand(p.serveCommand(), p.ingestCommand(), p.parseCommand(), p.askCommand(), p.searchCommand(), p.groundCommand(), p.evalCommand(), p.evalClaimsCommand(), p.doctorCommand(),
		p.keysCommand(), p.reconcileCommand(), p.exportCommand(), p.importCommand(), p.reembedCommand(), p.promptCommand(), p.demoCommand(), p.healthcheckCommand(), p.versionCommand())
	return root
}

// setting adds a flag whose value overrides the environment's.
func (p *program) setting(cmd *cobra.Command, flag, name, help string) {
	cmd.PersistentFlags().Func(flag, help, func(v string) error {
		p.flags[name] = v
		return nil
	})
}

func (p *program) config() (config.Config, error) {
	c, err := config.Load(p.environ, p.file, p.flags)
	if err != nil {
		return c, exitError{exitUsage, fmt.Errorf("configuration:\n%w", err)}
	}
	return c, nil
}

func (p *program) logger(c config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // validated by config
	o := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
