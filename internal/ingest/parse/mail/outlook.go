package mail

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/richardlehane/mscfb"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/plain"
	"footnote/internal/ingest/parse/web"
	"footnote/internal/rag"
)

// The properties that are read (MS-OXPROPS): tags without their type.
const (
	tagSubject        = "0037"
	tagSender         = "0C1A"
	tagSenderAddress  = "0C1F"
	tagTo             = "0E04"
	tagCc             = "0E03"
	tagBody           = "1000"
	tagHTML           = "1013"
	tagAttachmentName = "3707"
	tagShortName      = "3704"
	tagAttachmentData = "3701"
)

// Outlook adds a message that Outlook saved (MS-OXMSG), with its attachments.
func Outlook(ctx context.Context, b *document.Builder, content []byte) error {
	doc, err := mscfb.New(bytes.NewReader(content))
	if err != nil {
		return err
	}
	limit := b.Limits.EntryBytes
	if limit == 0 {
		limit = 1 << 40
	}
	properties := map[string][]byte{}             // of the message
	attachments := map[string]map[string][]byte{} // folder → property → value
	for n := 0; ; n++ {
		entry, err := doc.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if b.Limits.Entries > 0 && n > b.Limits.Entries {
			return rag.Errorf(rag.TooLarge, "The message has more than %d parts.", b.Limits.Entries)
		}
		rest, ok := strings.CutPrefix(entry.Name, "__substg1.0_")
		if !ok || len(rest) < 8 {
			continue
		}
		into := properties
		if len(entry.Path) > 0 {
			folder := entry.Path[len(entry.Path)-1]
			if len(entry.Path) > 1 || !strings.HasPrefix(folder, "__attach") {
				continue // of recipients, or of a message in the message
			}
			if attachments[folder] == nil {
				attachments[folder] = map[string][]byte{}
			}
			into = attachments[folder]
		}
		value, err := document.ReadAll(entry, limit, "A part of the message")
		if err != nil {
			return err
		}
		into[rest[:4]] = decoded(value, rest[4:8])
	}
	field := func(tag string) string { return strings.TrimSpace(strings.TrimRight(string(properties[tag]), "\x00")) }
	from := field(tagSender)
	if address := field(tagSenderAddress); strings.Contains(address, "@") && address != from {
		from = strings.TrimSpace(from + " <" + address + ">")
	}
	b.Title = field(tagSubject)
	var lines []string
	for _, f := range []struct{ name, key, value string }{{"Subject", "", b.Title}, {"From", "from", from}, {"To", "to", field(tagTo)}, {"Cc", "cc", field(tagCc)}} {
		if f.value != "" {
			lines = append(lines, f.name+": "+f.value)
		}
		if f.key != "" {
			b.Meta(f.key, f.value)
		}
	}
	b.Add(rag.BlockParagraph, 0, strings.Join(lines, "\n"))
	switch {
	case field(tagBody) != "":
		plain.Parse(b, field(tagBody))
	case len(properties[tagHTML]) > 0:
		if err := web.Whole(b, properties[tagHTML]); err != nil {
			b.Warn("the message's HTML could not be read: %v", err)
		}
	}
	var folders []string
	for f := range attachments {
		folders = append(folders, f)
	}
	slices.Sort(folders)
	for _, f := range folders {
		a := attachments[f]
		name := string(a[tagAttachmentName])
		if name == "" {
			name = string(a[tagShortName])
		}
		if data := a[tagAttachmentData]; len(data) > 0 {
			if err := b.AppendFile(ctx, strings.TrimRight(name, "\x00"), "", data); err != nil {
				return err
			}
		}
	}
	return nil
}

// decoded is a property's value, text as UTF-8. Types: 001F is UTF-16, 001E the system's character set, 0102 bytes.
func decoded(value []byte, kind string) []byte {
	switch strings.ToUpper(kind) {
	case "001F":
		units := make([]uint16, len(value)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(value[2*i:])
		}
		return []byte(string(utf16.Decode(units)))
	case "001E":
		return []byte(document.Decode(value))
	}
	return value
}
