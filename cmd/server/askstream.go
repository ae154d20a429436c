package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"

	"footnote/internal/rag"
)

// maxEventLine bounds a line of an event stream, in bytes: an event may hold 50 passages.
const maxEventLine = 64 << 20

// readEvents calls f with each event of a stream of server-sent events, as this service writes them: one line of data an event.
func readEvents(r io.Reader, f func(name string, data []byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEventLine)
	name := ""
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "event":
			name = value
		case "data":
			if err := f(name, []byte(value)); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the events: %w", err)
	}
	return nil
}

var errAnswered = errors.New("the answer is complete")

// askStreamed asks and writes the answer's text while it is made. The answer that it returns is whole.
func askStreamed(ctx context.Context, c *client, q question, w io.Writer) (got answerShown, err error) {
	q.Stream = true
	body, err := c.stream(ctx, http.MethodPost, "/v1/query", q, "")
	if err != nil {
		return got, err
	}
	defer body.Close()
	said := false
	err = readEvents(body, func(name string, data []byte) error {
		switch name {
		case "answer.delta":
			var d struct{ Text string }
			if err := json.Unmarshal(data, &d); err != nil {
				return fmt.Errorf("decode an event: %w", err)
			}
			said = true
			_, err := io.WriteString(w, printable(d.Text))
			return err
		case "error":
			var p problem
			if err := json.Unmarshal(data, &p); err != nil {
				return fmt.Errorf("decode an event: %w", err)
			}
			return p
		case "response.completed":
			if err := json.Unmarshal(data, &got); err != nil {
				return fmt.Errorf("decode the answer: %w", err)
			}
			return errAnswered
		}
		return nil
	})
	if said {
		fmt.Fprintln(w)
	}
	switch {
	case errors.Is(err, errAnswered):
		return got, nil
	case err == nil:
		return got, rag.Errorf(rag.BadUpstream, "The connection broke before the answer was complete; ask again.")
	}
	return got, err
}

// printable leaves control characters out but line breaks and tabs: a document's text must not steer the terminal that shows it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// interactive tells whether somebody watches w.
func interactive(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
