package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"footnote/internal/httpapi"
	"footnote/internal/rag"
)

// client speaks the HTTP API, over the network or straight into a handler: the command line shows what the API answers, and
// there is one path to test.
type client struct {
	base string
	key  string
	http *http.Client
}

// newClient talks to a running service at base.
func newClient(base, key string) *client {
	return &client{base: strings.TrimRight(base, "/"), key: key, http: &http.Client{}}
}

// inProcess talks to a handler of this process.
func inProcess(h http.Handler, key string) *client {
	return &client{base: "http://footnote", key: key, http: &http.Client{Transport: handlerTransport{h}}}
}

// problem is an error answer of the API.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

func (p problem) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

// do sends body (JSON unless it is an io.Reader with a content type) and decodes the answer into out, when out is not nil.
func (c *client) do(ctx context.Context, method, path string, body any, contentType string, out any) error {
	answer, err := c.stream(ctx, method, path, body, contentType)
	if err != nil {
		return err
	}
	defer answer.Close()
	b, err := io.ReadAll(answer)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	if raw, ok := out.(*json.RawMessage); ok {
		*raw = b
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("decode the answer of %s: %w", path, err)
	}
	return nil
}

// stream sends body as do does and returns the body of a good answer, which the caller reads and closes.
func (c *client) stream(ctx context.Context, method, path string, body any, contentType string) (io.ReadCloser, error) {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case io.Reader:
		r = b
	default:
		j, err := json.Marshal(b)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		r, contentType = bytes.NewReader(j), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, r)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, rag.Errorf(rag.Unavailable, "no answer from %s; is the service running? %w", c.base, err)
	}
	if resp.StatusCode >= 400 {
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		p := problem{Status: resp.StatusCode, Title: resp.Status}
		_ = json.Unmarshal(b, &p) // a proxy's error page is no problem JSON; its status line has to do
		return nil, p
	}
	return resp.Body, nil
}

// ensureCollection makes the collection unless it exists.
func (c *client) ensureCollection(ctx context.Context, name string) error {
	err := c.do(ctx, http.MethodPost, "/v1/collections", map[string]any{"name": name}, "", nil)
	var p problem
	if errors.As(err, &p) && p.Status == http.StatusConflict {
		return nil
	}
	return err
}

func collectionPath(name string) string { return "/v1/collections/" + url.PathEscape(name) }

// handlerTransport answers requests by calling a handler. Bodies are streamed both ways.
type handlerTransport struct{ h http.Handler }

func (t handlerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	r := req.Clone(httpapi.Trusted(req.Context())) // whoever runs the command has the store
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.RequestURI = r.URL.RequestURI()
	r.RemoteAddr = "127.0.0.1:0"
	body, out := io.Pipe()
	w := &pipedResponse{header: http.Header{}, out: out, begun: make(chan struct{})}
	go func() {
		defer func() {
			w.WriteHeader(http.StatusOK)
			if v := recover(); v != nil { // as a server does: the connection is cut
				out.CloseWithError(io.ErrUnexpectedEOF)
				return
			}
			out.Close()
		}()
		t.h.ServeHTTP(w, r)
	}()
	select {
	case <-w.begun:
	case <-req.Context().Done():
		body.CloseWithError(req.Context().Err())
		return nil, req.Context().Err()
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: body, ContentLength: -1, Request: req,
	}, nil
}

// pipedResponse hands a response to its reader while it is written.
type pipedResponse struct {
	header http.Header
	out    *io.PipeWriter
	once   sync.Once
	begun  chan struct{} // closed when status and sent are set
	status int
	sent   http.Header
}

func (w *pipedResponse) Header() http.Header { return w.header }

func (w *pipedResponse) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.begun)
	})
}

func (w *pipedResponse) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.out.Write(b)
}

// Flush does nothing: every write is seen at once.
func (w *pipedResponse) Flush() {}

// connect returns a client and a function that ends it: of the service at server, when named; of the one that has the data
// folder, when it runs; else of this very process.
func (p *program) connect(ctx context.Context, server string) (*client, func(), error) {
	c, err := p.config()
	if err != nil {
		return nil, nil, err
	}
	if server != "" {
		return newClient(server, c.APIKey.Reveal()), func() {}, nil
	}
	if c.LogLevel == "info" {
		c.LogLevel = "warn" // a command's own lines are the news here
	}
	a, err := openApp(ctx, c, p.logger(c, p.stderr))
	var busy errInUse
	if errors.As(err, &busy) && busy.Address != "" {
		return newClient(busy.Address, c.APIKey.Reveal()), func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return inProcess(a.handler, c.APIKey.Reveal()), a.start(ctx), nil
}
