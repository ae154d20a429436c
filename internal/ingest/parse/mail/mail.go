// Package mail reads messages (RFC 5322 and MIME), mailboxes of them (mbox, RFC 4155), and those that Outlook saves, with their attachments.
package mail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // the character sets that mail is written in
	"github.com/emersion/go-message/mail"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/plain"
	"footnote/internal/ingest/parse/web"
	"footnote/internal/rag"
)

// Message adds a message: its subject is the title, who wrote it to whom the metadata and the first lines, the text the body, plain where there is a choice, and the attachments follow, each under
// its name.
func Message(ctx context.Context, b *document.Builder, content []byte) error {
	h, err := add(ctx, b, content)
	if err != nil {
		return err
	}
	if s, err := h.Subject(); err == nil {
		b.Title = s
	}
	for key, field := range map[string]string{"from": "From", "to": "To", "cc": "Cc"} {
		b.Meta(key, addresses(h, field))
	}
	if d, err := h.Date(); err == nil && !d.IsZero() {
		b.Meta("created", d.Format(time.RFC3339))
	}
	return nil
}

func addresses(h mail.Header, field string) string {
	list, err := h.AddressList(field)
	if err != nil {
		return h.Get(field)
	}
	var out []string
	for _, a := range list {
		if a.Name != "" {
			out = append(out, a.Name+" <"+a.Address+">")
		} else {
			out = append(out, a.Address)
		}
	}
	return strings.Join(out, ", ")
}

// add adds the message's head and parts.
func add(ctx context.Context, b *document.Builder, content []byte) (mail.Header, error) {
	whole, err := message.Read(bytes.NewReader(content))
	if err != nil && !readable(err) {
		return mail.Header{}, err
	}
	r := mail.NewReader(whole)
	defer r.Close()
	head(b, r.Header)
	var text, page []byte
	type attachment struct {
		name, kind string
		content    []byte
	}
	var attached []attachment
	limit := b.Limits.EntryBytes
	if limit == 0 {
		limit = 1 << 40
	}
	for n := 0; ; n++ {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !readable(err) {
			b.Warn("a part of the message could not be read: %v", err)
			break
		}
		if p == nil { // its transfer encoding is none that is known; the next part may be sound
			b.Warn("a part of the message could not be read: %v", err)
			if n > mostParts {
				break
			}
			continue
		}
		if b.Limits.Entries > 0 && n > b.Limits.Entries {
			return r.Header, rag.Errorf(rag.TooLarge, "The message has more than %d parts.", b.Limits.Entries)
		}
		part, err := document.ReadAll(p.Body, limit, "A part of the message")
		if rag.CodeOf(err) == rag.TooLarge {
			return r.Header, err
		}
		if err != nil {
			b.Warn("a part of the message is damaged: %v", err)
		}
		switch h := p.Header.(type) {
		case *mail.InlineHeader:
			switch kind, _, _ := h.ContentType(); {
			case kind == "text/plain":
				text = append(append(text, part...), '\n', '\n')
			case kind == "text/html":
				page = append(page, part...)
			case kind == "message/rfc822":
				attached = append(attached, attachment{"message.eml", kind, part})
			}
		case *mail.AttachmentHeader:
			name, _ := h.Filename()
			kind, _, _ := h.ContentType()
			if name == "" && kind == "message/rfc822" {
				name = "message.eml"
			}
			attached = append(attached, attachment{name, kind, part})
		}
	}
	switch {
	case len(bytes.TrimSpace(text)) > 0:
		plain.Parse(b, string(text)) // its character set has been dealt with
	case len(page) > 0:
		if err := web.Whole(b, page); err != nil {
			b.Warn("the message's HTML could not be read: %v", err)
		}
	}
	for _, a := range attached {
		if err := b.AppendFile(ctx, a.name, a.kind, a.content); err != nil {
			return r.Header, err
		}
	}
	return r.Header, nil
}

// head writes who wrote to whom, so that it can be found and quoted.
func head(b *document.Builder, h mail.Header) {
	var lines []string
	line := func(name, value string) {
		if value = strings.TrimSpace(value); value != "" {
			lines = append(lines, name+": "+value)
		}
	}
	subject, _ := h.Subject()
	line("Subject", subject)
	line("From", addresses(h, "From"))
	line("To", addresses(h, "To"))
	line("Cc", addresses(h, "Cc"))
	if d, err := h.Date(); err == nil && !d.IsZero() {
		line("Date", d.Format("2006-01-02 15:04 -0700"))
	}
	b.Add(rag.BlockParagraph, 0, strings.Join(lines, "\n"))
}

// mostParts bounds the parts that cannot be read.
const mostParts = 10000

// readable tells errors that leave the message readable.
func readable(err error) bool { return message.IsUnknownCharset(err) || message.IsUnknownEncoding(err) }

// Mailbox adds the messages of a mailbox, each under its subject.
func Mailbox(ctx context.Context, b *document.Builder, content []byte) error {
	n := 0
	for _, m := range split(content) {
		if n++; b.Limits.Entries > 0 && n > b.Limits.Entries {
			return rag.Errorf(rag.TooLarge, "The mailbox holds more than %d messages.", b.Limits.Entries)
		}
		one := &document.Builder{Limits: b.Limits, Nested: b.Nested}
		if err := Message(ctx, one, m); err != nil {
			if rag.CodeOf(err) == rag.TooLarge || ctx.Err() != nil {
				return err
			}
			b.Warn("message %d could not be read: %v", n, err)
			continue
		}
		b.Add(rag.BlockHeading, 1, one.Title)
		b.Append(one)
	}
	if n == 0 {
		return rag.Errorf(rag.Invalid, "The mailbox holds no messages.")
	}
	return nil
}

// split cuts a mailbox at the lines that begin with "From " after an empty one, and takes the sign off lines that began so in a message.
func split(content []byte) (out [][]byte) {
	content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	var one []byte
	empty, inside := true, false
	for line := range bytes.Lines(content) {
		switch {
		case empty && bytes.HasPrefix(line, []byte("From ")):
			if inside {
				out = append(out, one)
			}
			one, inside = nil, true
		case inside:
			if rest := bytes.TrimLeft(line, ">"); len(rest) < len(line) && bytes.HasPrefix(rest, []byte("From ")) {
				line = line[1:]
			}
			one = append(one, line...)
		}
		empty = len(bytes.TrimSpace(line)) == 0
	}
	if inside {
		out = append(out, one)
	}
	return out
}
