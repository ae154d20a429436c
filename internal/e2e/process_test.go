package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	pgserver "footnote/internal/servertest/postgres"
	qdrantserver "footnote/internal/servertest/qdrant"
)

// binary builds the service once, with failpoints.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "footnote-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "footnote")
	cmd := exec.Command("go", "build", "-tags", "failpoints", "-o", path, "footnote/cmd/server")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// process is a running service.
type process struct {
	cmd   *exec.Cmd
	base  string
	ready chan string
	dead  chan struct{} // closed when it has ended

	mu    sync.Mutex
	lines []string // of its log, those that tell of the index
}

// said are the lines of the log that have the text.
func (p *process) said(text string) (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.lines {
		if strings.Contains(line, text) {
			out = append(out, line)
		}
	}
	return out
}

var address = regexp.MustCompile(`address=(http://\S+)`)

// start starts the service on data and waits until it is ready; failpoint is empty or such as "embed:1". A process that dies first is returned too.
func start(t *testing.T, data, failpoint string, settings ...string) *process {
	t.Helper()
	p := begin(t, data, failpoint, settings...)
	p.await(t)
	return p
}

// begin starts the service and does not wait.
func begin(t testing.TB, data, failpoint string, settings ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "serve", "--listen", "127.0.0.1:0", "--data", data)
	cmd.Env = append(append(os.Environ(), "FAILPOINT="+failpoint), settings...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// ready takes one line, which must not wait for the reader.
	p := &process{cmd: cmd, dead: make(chan struct{}), ready: make(chan string, 1)}
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if m := address.FindStringSubmatch(lines.Text()); m != nil {
				p.ready <- m[1]
			}
			if strings.Contains(lines.Text(), "index") {
				p.mu.Lock()
				p.lines = append(p.lines, lines.Text())
				p.mu.Unlock()
			}
		}
		_, _ = io.Copy(io.Discard, stderr)
		_ = cmd.Wait() // killed, mostly
		close(p.dead)
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-p.dead })
	return p
}

// await waits until the process is ready or has died.
func (p *process) await(t testing.TB) {
	t.Helper()
	select {
	case p.base = <-p.ready:
	case <-p.dead:
	case <-time.After(time.Minute):
		t.Fatal("the service is not ready after a minute")
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.dead
}

// do sends JSON; status 0 says that the process died under the request.
func (p *process) do(method, path string, in, out any, header ...string) int {
	var body io.Reader
	if in != nil {
		b, _ := json.Marshal(in)
		body = strings.NewReader(string(b))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, body)
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || out != nil && resp.StatusCode < 300 && json.Unmarshal(b, out) != nil {
		return 0
	}
	return resp.StatusCode
}

// production are the settings of a service on an empty Postgres database and a Qdrant: that of TEST_QDRANT_ADDR, or one of its own. A dead worker's lease
// runs out after a second.
func production(t testing.TB) []string {
	t.Helper()
	index := ""
	if a := os.Getenv("TEST_QDRANT_ADDR"); a != "" {
		index = "qdrant://" + a
		if key := os.Getenv("TEST_QDRANT_KEY"); key != "" {
			index = "qdrant://" + url.PathEscape(key) + "@" + a
		}
	} else {
		index = qdrantserver.Start(t, "").URL()
	}
	return []string{"FOOTNOTE_CATALOG=" + pgserver.URL(t), "FOOTNOTE_INDEX=" + index, "FOOTNOTE_JOB_LEASE=1s"}
}

// drain waits until no job is open.
func drain(t testing.TB, p *process) {
	t.Helper()
	drainWithin(t, p, time.Minute)
}
