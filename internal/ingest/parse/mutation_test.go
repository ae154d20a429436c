package parse

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// tight are limits that a small file has no reason to meet. The time is long enough for a machine that is busy with other things.
var tight = document.Limits{TextBytes: 1 << 20, Pages: 50, Depth: 100, Entries: 200, EntryBytes: 4 << 20, ExpandedBytes: 8 << 20, Ratio: 100, Time: 2 * time.Minute}

// outcome reads a file of an unknown sender: it names what came of it, and fails the test for what may not: a panic, an error that no sender could do anything about, a limit
// that was not kept.
func outcome(t *testing.T, what, name string, content []byte) string {
	t.Helper()
	limits := tight
	sandboxed := name == "a.pdf" // PDFium is stopped inside its sandbox when the time is up, so that may come; other parsers have no excuse
	if sandboxed {
		limits.Time = 2 * time.Second
	}
	kind, err := MediaType(name, "", content[:min(len(content), 4096)])
	var p rag.Parsed
	if err == nil {
		p, err = Parse(t.Context(), content, name, kind, limits)
	}
	if IsArchive(kind) {
		unpack(t, what, name, content, limits)
	}
	code := rag.CodeOf(err)
	switch {
	case err == nil && len(p.Text) > int(tight.TextBytes):
		t.Errorf("%s: got %d bytes of text, over the limit", what, len(p.Text))
	case err == nil:
		for _, b := range p.Blocks {
			if b.Span.Start < 0 || b.Span.Empty() || b.Span.End > len(p.Text) {
				t.Errorf("%s: got a block at %v of %d bytes", what, b.Span, len(p.Text))
			}
			for at, i := b.Span.Start, 0; i < len(b.Turns); i++ {
				if b.Turns[i].At <= at || b.Turns[i].At >= b.Span.End || b.Turns[i].Page < 1 {
					t.Errorf("%s: a block at %v has its pages at %v", what, b.Span, b.Turns)
				}
				at = b.Turns[i].At
			}
		}
		if strings.Contains(p.Text, "root:x:") {
			t.Errorf("%s: a file of the system was read", what)
		}
		return "read"
	case strings.Contains(err.Error(), "broke its parser"):
		t.Errorf("%s: %v", what, err)
	case sandboxed && code == rag.Timeout:
	case code != rag.Invalid && code != rag.TooLarge && code != rag.Unsupported:
		t.Errorf("%s: got %v (%s), which no sender could do anything about", what, err, code)
	}
	return string(code)
}

// unpack takes an archive apart as it is when one is handed in, where nothing catches a panic.
func unpack(t *testing.T, what, name string, content []byte, limits document.Limits) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: taking it apart: %v", what, r)
		}
	}()
	sound := func(err error) bool {
		code := rag.CodeOf(err)
		return err == nil || code == rag.Invalid || code == rag.TooLarge || code == rag.Unsupported
	}
	size := 0
	err := Reader{Limits: limits}.Files(t.Context(), content, name, func(f File) error {
		size += len(f.Content)
		if !sound(f.Err) || (f.Err == nil) != (f.MediaType != "") || IsArchive(f.MediaType) || strings.HasPrefix(f.Name, "/") || slices.Contains(strings.Split(f.Name, "/"), "..") {
			t.Errorf("%s: a file %q of type %q, %v", what, f.Name, f.MediaType, f.Err)
		}
		return nil
	})
	if !sound(err) || int64(size) > limits.ExpandedBytes {
		t.Errorf("%s: taken apart, %d bytes: %v", what, size, err)
	}
}

// broken changes a file in one of the ways in which files are broken, or are made to break their readers.
func broken(r *rand.Rand, content []byte, others []seed) ([]byte, string) {
	out := bytes.Clone(content)
	at := func() int { return r.IntN(max(len(out), 1)) }
	if len(out) == 0 {
		return out, "empty"
	}
	switch r.IntN(9) {
	case 0:
		return out[:at()], "cut"
	case 1:
		for range 1 + r.IntN(16) {
			out[at()] ^= 1 << r.IntN(8)
		}
		return out, "bits flipped"
	case 2:
		i := at()
		return slices.Delete(out, i, min(i+1+r.IntN(32), len(out))), "a piece lost"
	case 3:
		i := at()
		piece := bytes.Clone(out[i:min(i+1+r.IntN(64), len(out))])
		return slices.Insert(out, i, bytes.Repeat(piece, 1+r.IntN(3000))...), "a piece repeated"
	case 4: // lengths, counts and offsets that lie
		value := [][]byte{{0xff, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0x7f}, {0, 0, 0, 0x80}, {0, 0, 0, 0}, {0, 0, 1, 0}}[r.IntN(5)]
		for range 1 + r.IntN(4) {
			copy(out[at():], value)
		}
		return out, "lengths that lie"
	case 5: // numbers in text that lie
		digits := func(b byte) bool { return b >= '0' && b <= '9' }
		for range 1 + r.IntN(4) {
			from := at()
			if i := bytes.IndexAny(out[from:], "0123456789"); i >= 0 {
				i += from
				j := i
				for j < len(out) && digits(out[j]) {
					j++
				}
				out = slices.Replace(out, i, j, []byte([]string{"-1", "0", "2147483647", "99999999999999999999", "1048576"}[r.IntN(5)])...)
			}
		}
		return out, "numbers that lie"
	case 6:
		other := others[r.IntN(len(others))]
		i := r.IntN(len(other.content))
		return append(bytes.Clone(out[:at()]), other.content[i:]...), "the end of " + other.name
	case 7:
		other := others[r.IntN(len(others))]
		copy(out, other.content[:min(len(other.content), 1<<r.IntN(10))])
		return out, "the head of " + other.name
	}
	i, j := at(), at()
	n := min(1+r.IntN(64), len(out)-i, len(out)-j)
	piece := bytes.Clone(out[i : i+n])
	copy(out[i:], out[j:j+n])
	copy(out[j:], piece)
	return out, "pieces swapped"
}

// brokenInside breaks one part of a file that is a zip file, so that what is broken gets past the unpacking.
func brokenInside(t *testing.T, r *rand.Rand, content []byte, others []seed) ([]byte, string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return broken(r, content, others)
	}
	which, how := r.IntN(len(z.File)), ""
	var parts []string
	for i, f := range z.File {
		o, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		part, err := io.ReadAll(o)
		if err != nil {
			t.Fatal(err)
		}
		if i == which {
			part, how = broken(r, part, others)
			how = f.Name + ": " + how
		}
		parts = append(parts, f.Name, string(part))
	}
	return zipped(t, parts...), how
}

// Sound files of every format, broken at random: none crashes its parser, none costs more than its limits, and each is read or refused with a reason. TEST_MUTATIONS sets how many are
// tried of each format.
func TestParse_BrokenFiles(t *testing.T) {
	t.Parallel()
	each := 60
	if s := os.Getenv("TEST_MUTATIONS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		each = n
	} else if testing.Short() {
		each = 10
	}
	all := seeds(t)
	counts := map[string]int{}
	for i, s := range all {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		n := each
		if s.name == "a.pdf" && os.Getenv("TEST_MUTATIONS") == "" {
			n = min(n, 40) // each has a sandbox of its own
		}
		for k := range n {
			content, how := s.content, ""
			if k%2 == 0 {
				content, how = brokenInside(t, r, content, all)
			} else {
				content, how = broken(r, content, all)
			}
			counts[outcome(t, fmt.Sprintf("%s, number %d (%s)", s.name, k, how), s.name, content)]++
		}
	}
	t.Logf("%d files of %d formats: %v", each*len(all), len(all), counts)
	if counts["read"] == 0 || counts[string(rag.Invalid)] == 0 {
		t.Errorf("got %v: the files are all sound, or all broken beyond reading", counts)
	}
}

// Files that were made to hurt, one way each: none is read outside, none costs more than its limits. The bound on memory is of everything that was allocated, not of what was held at once.
func TestParse_FilesMadeToHurt(t *testing.T) {
	cases := hostile(t)
	counts := map[string]int{}
	var most uint64
	var which string
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		c := cases[name]
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		counts[outcome(t, name, c.name, c.content)]++
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > most {
			most, which = n, name
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 2<<30 {
			t.Errorf("%s: %d MiB were allocated on the way", name, n>>20)
		}
	}
	t.Logf("%d files: %v; the most that one allocated on the way is %d MiB (%s)", len(cases), counts, most>>20, which)
}
