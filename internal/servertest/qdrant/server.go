// Package qdrant is a small Qdrant server for tests: it speaks Qdrant's own gRPC protocol, really stores and searches, and fails the way the real one fails.
//
// It implements what an index needs (collections, aliases, payload indexes, upsert, delete, query, scroll, count) by exact search, and answers
// Unimplemented to the rest. What it does was observed on a Qdrant 1.18; the suite that passes on it is to pass on a real one too.
package qdrant

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Server is a running server. Its methods may be called by any goroutine.
type Server struct {
	address string
	key     string
	cert    *tls.Certificate // nil: plain text

	mu          sync.Mutex
	grpc        *grpc.Server // nil while stopped
	collections map[string]*collection
	aliases     map[string]string
	fault       func(method string) Fault
	calls       map[string]int
}

// Fault is what happens to one call.
type Fault struct {
	Delay   time.Duration // before it is carried out
	Err     error         // instead of carrying it out
	LostErr error         // instead of the reply, after it was carried out
	Limited int           // refused by a limit of requests, which will let it through after so many seconds
}

// Start starts a server on a free port of loopback; key is the API key it asks for, "" for none. It ends with the test.
func Start(t testing.TB, key string) *Server {
	t.Helper()
	s := &Server{key: key, address: "127.0.0.1:0", collections: map[string]*collection{}, aliases: map[string]string{}, calls: map[string]int{}}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// StartTLS starts a server that speaks TLS with that certificate.
func StartTLS(t testing.TB, key string, cert tls.Certificate) *Server {
	t.Helper()
	s := &Server{key: key, cert: &cert, address: "127.0.0.1:0", collections: map[string]*collection{}, aliases: map[string]string{}, calls: map[string]int{}}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Host and Port are where it listens.
func (s *Server) Host() string { return "127.0.0.1" }

// Port is where it listens.
func (s *Server) Port() int {
	_, port, _ := net.SplitHostPort(s.address)
	n, _ := strconv.Atoi(port)
	return n
}

// URL has the form of FOOTNOTE_INDEX.
func (s *Server) URL() string {
	if s.key != "" {
		return "qdrant://" + url.PathEscape(s.key) + "@" + s.address
	}
	return "qdrant://" + s.address
}

// Stop cuts every connection and stops listening; what was stored is kept, as on a disk.
func (s *Server) Stop() {
	s.mu.Lock()
	g := s.grpc
	s.grpc = nil
	s.mu.Unlock()
	if g != nil {
		g.Stop()
	}
}

// Restart listens again, on the same port.
func (s *Server) Restart() error {
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	options := []grpc.ServerOption{
		grpc.UnaryInterceptor(s.intercept),
		grpc.MaxRecvMsgSize(1 << 30),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	}
	if s.cert != nil {
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(s.cert)))
	}
	g := grpc.NewServer(options...)
	qdrant.RegisterQdrantServer(g, health{})
	qdrant.RegisterCollectionsServer(g, collections{s: s})
	qdrant.RegisterPointsServer(g, points{s: s})
	s.mu.Lock()
	s.address, s.grpc = l.Addr().String(), g
	s.mu.Unlock()
	go func() { _ = g.Serve(l) }() // ends with Stop
	return nil
}

// Fail has f decide what happens to each call from now on; nil ends it. method is such as "Upsert".
func (s *Server) Fail(f func(method string) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Calls tells how often a method was called.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

func (s *Server) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	method := info.FullMethod[strings.LastIndexByte(info.FullMethod, '/')+1:]
	if md, _ := metadata.FromIncomingContext(ctx); s.key != "" && method != "HealthCheck" {
		if got := md.Get("api-key"); len(got) != 1 || got[0] != s.key {
			return nil, status.Error(codes.Unauthenticated, "Must provide an API key or an Authorization bearer token")
		}
	}
	s.mu.Lock()
	s.calls[method]++
	var f Fault
	if s.fault != nil {
		f = s.fault(method)
	}
	s.mu.Unlock()
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			// A deadline that fires does not undo: the call is carried out all the same.
			_, _ = next(context.WithoutCancel(ctx), req)
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	}
	if f.Limited > 0 {
		if err := grpc.SetTrailer(ctx, metadata.Pairs("retry-after", strconv.Itoa(f.Limited))); err != nil {
			return nil, err
		}
		return nil, status.Error(codes.ResourceExhausted, "Rate limiting exceeded: Write rate limit exceeded")
	}
	if f.Err != nil {
		return nil, f.Err
	}
	reply, err := next(ctx, req)
	if f.LostErr != nil {
		return nil, f.LostErr
	}
	return reply, err
}

type health struct {
	qdrant.UnimplementedQdrantServer
}

func (health) HealthCheck(context.Context, *qdrant.HealthCheckRequest) (*qdrant.HealthCheckReply, error) {
	return &qdrant.HealthCheckReply{Title: "qdrant - vector search engine", Version: "1.18.3"}, nil
}
