package llm

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"footnote/internal/rag"
)

// Bounds of what is read of an endpoint, in bytes.
const (
	maxLine   = 1 << 20
	maxStream = 32 << 20
)

// piece is a part of a chat completion, or all of one from an endpoint that does not stream.
type piece struct {
	Choices []struct {
		Index        int     `json:"index"`
		Delta        said    `json:"delta"`
		Message      said    `json:"message"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		PromptTokens     int `json:"prompt_tokens"`
		CompletionTokens int `json:"completion_tokens"`
	} `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// said is what one message says. Servers name thoughts in one way or the other, some in both.
type said struct {
	Content          content `json:"content"`
	Refusal          content `json:"refusal"`
	ReasoningContent content `json:"reasoning_content"`
	Reasoning        content `json:"reasoning"`
}

func (s said) text() string { return s.Content.text + s.Refusal.text }

func (s said) thinking() string {
	for _, c := range []content{s.ReasoningContent, s.Reasoning} {
		if c.text != "" {
			return c.text + s.Content.thinking
		}
	}
	return s.Content.thinking
}

// content is a text on the wire: a string, null, or a list of parts, of which some may be thoughts. Bytes that are no UTF-8 stay as they are: the rest of the code point may be
// in the next piece.
type content struct{ text, thinking string }

func (c *content) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		c.text = unquote(b)
	case '[':
		var parts []struct {
			Text     content `json:"text"`
			Thinking content `json:"thinking"`
		}
		if err := json.Unmarshal(b, &parts); err != nil {
			return err
		}
		for _, p := range parts {
			c.text += p.Text.text
			c.thinking += p.Text.thinking + p.Thinking.text
		}
	case 'n':
	default:
		return errors.New("the content is neither a text nor a list of parts")
	}
	return nil
}

// unquote reads a JSON string whose grammar has been checked, and keeps bytes that are no UTF-8.
func unquote(b []byte) string {
	b = b[1 : len(b)-1]
	var out strings.Builder
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\\')
		if i < 0 {
			i = len(b)
		}
		out.Write(b[:i])
		if b = b[i:]; len(b) == 0 {
			break
		}
		end := 2
		if b[1] == 'u' {
			if end = 6; len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
				end = 12 // a surrogate pair, perhaps
			}
		}
		var s string
		if json.Unmarshal([]byte(`"`+string(b[:end])+`"`), &s) == nil {
			out.WriteString(s)
		}
		b = b[end:]
	}
	return out.String()
}

// errNonsense is an answer that is no chat completion.
func errNonsense(why string) error {
	return rag.Errorf(rag.BadUpstream, "The language model's endpoint answered with something that is not a chat completion: %w", errors.New(why))
}

func errBrokeOff(err error) error {
	return rag.Errorf(rag.BadUpstream, "The language model's answer broke off before its end: %w", err)
}

// readPieces calls each with every piece that an endpoint sends: as server-sent events, whatever the Content-Type says, whose comments and other fields are skipped and whose
// lines may end in CR LF, or as one JSON object. ended: the endpoint said that it was done.
func readPieces(body io.Reader, each func(piece) error) (ended bool, err error) {
	r := bufio.NewReaderSize(io.LimitReader(body, maxStream), 64<<10)
	first, err := firstByte(r)
	switch {
	case errors.Is(err, io.EOF):
		return false, errNonsense("nothing")
	case err != nil:
		return false, errBrokeOff(err)
	case first == '{':
		b, err := io.ReadAll(io.LimitReader(r, maxLine+1))
		if err != nil {
			return false, errBrokeOff(err)
		}
		// A stream of errors without the form of events starts like this, too.
		var p piece
		if err := json.NewDecoder(bytes.NewReader(b)).Decode(&p); err != nil {
			return false, errNonsense(err.Error())
		}
		return true, each(p)
	case first == '<':
		return false, errNonsense("a web page")
	}
	pending := "" // data of an event whose JSON goes on in the next line
	for {
		line, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		data, isData := strings.CutPrefix(line, "data:")
		switch data = strings.TrimSpace(data); {
		case line == "" && pending != "" && err == nil:
			return false, errNonsense("an event that is no JSON")
		case !isData && strings.HasPrefix(line, `{"`):
			data, isData = line, true // an error in the middle, by a server that forgets where it is
		}
		if isData && data == "[DONE]" {
			return true, nil
		}
		if isData && data != "" {
			if pending != "" {
				pending += "\n"
			}
			if pending += data; len(pending) > maxLine {
				return false, errNonsense("an event without an end")
			}
			if json.Valid([]byte(pending)) {
				var p piece
				if err := json.Unmarshal([]byte(pending), &p); err != nil {
					return false, errNonsense(err.Error())
				}
				pending = ""
				if err := each(p); err != nil {
					return false, err
				}
			}
		}
		if err != nil {
			if pending != "" {
				return false, errNonsense("an event that is cut")
			}
			return false, nil
		}
	}
}

// firstByte peeks at the first byte that is neither white space nor of a byte order mark.
func firstByte(r *bufio.Reader) (byte, error) {
	for {
		b, err := r.Peek(1)
		if err != nil {
			return 0, err
		}
		if strings.IndexByte(" \t\r\n\xEF\xBB\xBF", b[0]) < 0 {
			return b[0], nil
		}
		if _, err := r.Discard(1); err != nil {
			return 0, err
		}
	}
}

// readLine reads a line without its end; io.EOF with the last, whole or not.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxLine {
			return "", errNonsense("a line without an end")
		}
		switch {
		case err == nil || errors.Is(err, io.EOF):
			return strings.TrimRight(string(line), "\r\n"), err
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", errBrokeOff(err)
		}
	}
}

// wholeRunes holds back the bytes of a code point that is cut between two pieces, and replaces what is no UTF-8.
type wholeRunes struct{ held string }

func (w *wholeRunes) write(s string) string {
	if s = w.held + s; s == "" {
		return ""
	}
	n := len(s)
	for i := 1; i <= 3 && i <= len(s); i++ {
		if b := s[len(s)-i]; b >= 0xC0 { // the beginning of a code point of 2, 3 or 4 bytes
			if need := 2 + btoi(b >= 0xE0) + btoi(b >= 0xF0); need > i {
				n -= i
			}
			break
		} else if b < 0x80 {
			break
		}
	}
	w.held = s[n:]
	return strings.ToValidUTF8(s[:n], "\uFFFD")
}

// end is what was held back, which is no code point any more.
func (w *wholeRunes) end() string {
	s := strings.ToValidUTF8(w.held, "\uFFFD")
	w.held = ""
	return s
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
