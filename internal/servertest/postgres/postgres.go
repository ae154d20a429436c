// Package postgres starts a throw-away Postgres for tests, from the server binaries that the machine has.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a Postgres cluster that a test may stop and start.
type Server struct {
	dir, bin string
	port     int
	account  *account // whom the server runs as, when this process is root
	cmd      *exec.Cmd
	dead     chan struct{}
	url      string // of an outside server; the rest is empty then
}

var shared = sync.OnceValues(func() (*Server, error) {
	if u := os.Getenv("TEST_POSTGRES_URL"); u != "" {
		return &Server{url: u}, nil
	}
	return Start()
})

var started atomic.Bool

// Main runs a package's tests and ends the server that they shared, if they started one. Use it as os.Exit(postgres.Main(m)).
func Main(m *testing.M) int {
	code := m.Run()
	if started.Load() {
		if s, err := shared(); err == nil {
			s.Close()
		}
	}
	return code
}

// URL returns the URL of an empty database: on the server of TEST_POSTGRES_URL when that is set, else on a throw-away one that the package's
// tests share (its TestMain must call Main). Without a server the test is skipped, or fails when REQUIRE_INTEGRATION=1.
func URL(t testing.TB) string {
	t.Helper()
	started.Store(true)
	s, err := shared()
	if err != nil {
		Unavailable(t, err)
	}
	return s.Database(t)
}

// Unavailable skips a test for want of a server and says how to get one; with REQUIRE_INTEGRATION=1 that is a failure.
func Unavailable(t testing.TB, err error) {
	t.Helper()
	const remedy = "install PostgreSQL (apt-get install postgresql), put its initdb on PATH, or set TEST_POSTGRES_URL to a server on which databases may be created"
	if os.Getenv("REQUIRE_INTEGRATION") == "1" {
		t.Fatalf("Postgres is required here: %v; %s", err, remedy)
	}
	t.Skipf("skipped for want of Postgres: %v; to run this test, %s", err, remedy)
}

var databases atomic.Int64

// Database makes an empty database and returns its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("footnote_test_%d_%d_%d", os.Getpid(), time.Now().UnixNano(), databases.Add(1))
	if err := s.exec(`CREATE DATABASE ` + name + ` TEMPLATE template0 ENCODING 'UTF8'`); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	t.Cleanup(func() { _ = s.exec(`DROP DATABASE IF EXISTS ` + name + ` WITH (FORCE)`) }) // the cluster goes away anyhow
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// URL is the URL of the server's own database.
func (s *Server) URL() string {
	if s.url != "" {
		return s.url
	}
	return fmt.Sprintf("postgres://footnote@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

func (s *Server) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// Start makes a cluster in a temporary folder and starts its server on a free port of loopback. Root drops its privileges for it.
func Start() (_ *Server, err error) {
	s := &Server{}
	if s.bin, err = findBinaries(); err != nil {
		return nil, err
	}
	if s.account, err = unprivileged(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "footnote-postgres-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.account != nil {
		if err := os.Chown(s.dir, s.account.uid, s.account.gid); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(s.dir, "data")
	initdb := exec.Command(filepath.Join(s.bin, "initdb"), "--pgdata", data, "--username", "footnote", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	s.account.apply(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	return s, s.Restart()
}

// Restart starts the server, after Stop or Kill, on the same data and port, and waits until it answers.
func (s *Server) Restart() error {
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if err = s.begin(); err != nil {
			return err
		}
		for dead := false; !dead && time.Now().Before(deadline); {
			if err = s.exec("SELECT 1"); err == nil {
				return nil
			}
			select {
			case <-s.dead: // after a kill, until the last child of the old server has gone
				dead = true
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return fmt.Errorf("postgres does not answer: %w; its log: %s", err, log)
}

// begin starts the server's process.
func (s *Server) begin() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	// Without fsync a killed server loses nothing that the system has, and tests do not wait for the disk. Measurements set TEST_POSTGRES_FSYNC=on.
	fsync := "off"
	if os.Getenv("TEST_POSTGRES_FSYNC") == "on" {
		fsync = "on"
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), "-D", filepath.Join(s.dir, "data"), "-h", "127.0.0.1", "-p", strconv.Itoa(s.port),
		"-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "fsync="+fsync)
	cmd.Stdout, cmd.Stderr = log, log
	s.account.apply(cmd)
	begun, dead := make(chan error, 1), make(chan struct{})
	go func() {
		// The server is to end with this process, also when that is killed. The signal is tied to the thread that started it, so the thread stays.
		runtime.LockOSThread()
		err := cmd.Start()
		begun <- err
		if err == nil {
			_ = cmd.Wait() // it ends by our signal
		}
		close(dead)
	}()
	s.cmd, s.dead = cmd, dead
	return <-begun
}

// Stop stops the server as an operator's restart does: connections are cut, what was committed is kept.
func (s *Server) Stop() { s.signal(os.Interrupt) }

// Kill ends the server without warning.
func (s *Server) Kill() { s.signal(os.Kill) }

func (s *Server) signal(sig os.Signal) {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig) // it may have ended by itself
	<-s.dead
}

// Close stops the server and removes its data.
func (s *Server) Close() {
	if s.url != "" {
		return
	}
	s.Stop()
	_ = os.RemoveAll(s.dir) // a temporary folder
}

// findBinaries finds the folder that holds initdb and postgres: on PATH, or where Debian and others put it, the newest version first.
func findBinaries() (string, error) {
	candidates := []string{}
	if p, err := exec.LookPath("initdb"); err == nil {
		candidates = append(candidates, filepath.Dir(p))
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"} {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		slices.Reverse(found)
		candidates = append(candidates, found...)
	}
	for _, dir := range candidates {
		_, noInit := os.Stat(filepath.Join(dir, "initdb"))
		_, noServer := os.Stat(filepath.Join(dir, "postgres"))
		if noInit == nil && noServer == nil {
			return dir, nil
		}
	}
	return "", errors.New("no PostgreSQL server binaries were found")
}

// unprivileged is whom root runs the server as, since Postgres refuses to run as root; nil for others.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if errors.Join(err, err2) == nil {
			return &account{uid, gid}, nil
		}
	}
	return nil, errors.New("this process is root, and there is neither a user postgres nor nobody to run the server as")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	return strconv.Atoi(port)
}
