package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// healthcheckCommand is for container images, which have no curl.
func (p *program) healthcheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "healthcheck",
		Short:  "Ask the service on this machine whether it is ready; exit code 0 says yes",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.config()
			if err != nil {
				return err
			}
			host, port, err := net.SplitHostPort(c.Listen)
			if err != nil {
				return err
			}
			if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
				host = "127.0.0.1"
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), 3*time.Second)
			defer cancel()
			return newClient("http://"+net.JoinHostPort(host, port), "").do(ctx, http.MethodGet, "/readyz", nil, "", nil)
		},
	}
}
