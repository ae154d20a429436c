package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func (p *program) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Start the HTTP service (what footnote does when no command is named)",
		Example: `  footnote serve
  FOOTNOTE_LLM_BASE_URL=http://127.0.0.1:11434/v1 FOOTNOTE_LLM_MODEL=qwen3 footnote serve
  FOOTNOTE_API_KEY=$(openssl rand -hex 32) footnote serve --listen 0.0.0.0:8080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context()) },
	}
}

func (p *program) serve(ctx context.Context) error {
	c, err := p.config()
	if err != nil {
		return err
	}
	started := time.Now()
	log := p.logger(c, p.stderr)
	a, err := openApp(ctx, c, log)
	if err != nil {
		return err
	}
	defer a.close()
	return a.listenAndServe(ctx, func(address string) {
		store := "data"
		where := c.Data
		if c.Postgres() {
			store, where = "stores", "postgres, qdrant"
		}
		log.Info("ready", "address", "http://"+address, store, where, "model", a.embedder.Model(), "after", time.Since(started).Round(time.Millisecond))
	})
}

// listenAndServe serves until ctx ends, then stops taking requests, finishes those in hand and puts unfinished jobs back in the
// queue. ready is called once with the address that it listens on.
func (a *app) listenAndServe(ctx context.Context, ready func(address string)) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s (is another service there? --listen names another address): %w", a.config.Listen, err)
	}
	if err := a.announce(l.Addr().String()); err != nil {
		l.Close()
		return fmt.Errorf("write the lock file: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	// Requests live on past ctx's end until Shutdown's own deadline; then this one ends them.
	requests, endRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer endRequests()
	srv := &http.Server{
		Handler:           a.handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return requests },
	}
	g.Go(func() error { return a.run(ctx) })
	g.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.Shutdown)
		defer cancel()
		if err := srv.Shutdown(deadline); err != nil {
			endRequests()
			return srv.Close()
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		// Streams that go on for longer are told to ask another process while their connections still stand.
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.Shutdown/2)
		defer cancel()
		a.streams.Shutdown(deadline)
		return nil
	})
	ready(l.Addr().String())
	err = g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
