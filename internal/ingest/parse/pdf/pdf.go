package pdf

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	pdfium "github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// Parse adds the text of a PDF. Pages that cannot be read, or that hold images only, are named in the warnings.
// Errors: rag.Invalid for a file that is encrypted, damaged, or without any text; rag.TooLarge over the limit of pages.
func Parse(ctx context.Context, b *document.Builder, content []byte) error {
	var pages []sheet
	err := withInstance(ctx, func(p pdfium.Pdfium) error {
		doc, err := p.OpenDocument(&requests.OpenDocument{File: &content})
		if err != nil {
			return explain(err)
		}
		count, err := p.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: doc.Document})
		if err != nil {
			return explain(err)
		}
		if b.Limits.Pages > 0 && count.PageCount > b.Limits.Pages {
			return rag.Errorf(rag.TooLarge, "The PDF has %d pages; at most %d are read.", count.PageCount, b.Limits.Pages)
		}
		metadata(p, doc.Document, b)
		for i := range count.PageCount {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s, err := readPage(p, doc.Document, i)
			if err != nil {
				if errors.Is(err, errBroken) {
					return explain(err)
				}
				s.failed = true
			}
			pages = append(pages, s)
		}
		return transcribe(ctx, p, doc.Document, b, pages)
	})
	if err != nil {
		return err
	}
	var failed, images []int
	for i, s := range pages {
		switch {
		case s.failed:
			failed = append(failed, i+1)
		case s.scan() && s.scanned == "":
			images = append(images, i+1)
		}
	}
	if len(failed) > 0 {
		b.Warn("could not read %s", pageNames(failed))
	}
	if len(images) > 0 {
		if b.Transcribe == nil {
			b.Warn("%s without text, only images: a scan is read only where an OCR endpoint is set", hold(images))
		} else {
			b.Warn("%s without text, only images, and could not be transcribed", hold(images))
		}
	}
	layout(b, pages)
	if b.Empty() {
		switch {
		case len(failed) > 0:
			return rag.Errorf(rag.Invalid, "None of the PDF's %d pages could be read.", len(pages))
		case len(images) > 0:
			if b.Transcribe != nil {
				return rag.Errorf(rag.Invalid, "The PDF's pages are images without text, and none could be transcribed: %s", strings.Join(b.Warnings, "; "))
			}
			return rag.Errorf(rag.Invalid, "The PDF's pages are images without text: it is a scan. Send it through OCR first.")
		}
		return rag.Errorf(rag.Invalid, "The PDF has %d pages but no text.", len(pages))
	}
	return nil
}

func hold(pages []int) string {
	if len(pages) == 1 {
		return pageNames(pages) + " is"
	}
	return pageNames(pages) + " are"
}

// pageNames writes page numbers as "page 3" or "pages 1–4, 7", at most a line of them.
func pageNames(pages []int) string {
	var parts []string
	for i := 0; i < len(pages); {
		j := i
		for j+1 < len(pages) && pages[j+1] == pages[j]+1 {
			j++
		}
		if len(parts) == 12 {
			parts = append(parts, fmt.Sprintf("and %d more", len(pages)-i))
			break
		}
		if j > i {
			parts = append(parts, fmt.Sprintf("%d–%d", pages[i], pages[j]))
		} else {
			parts = append(parts, fmt.Sprint(pages[i]))
		}
		i = j + 1
	}
	if len(pages) == 1 {
		return "page " + parts[0]
	}
	return "pages " + strings.Join(parts, ", ")
}

// metadata takes the title and what the file says of itself. A title that is a file name says nothing.
func metadata(p pdfium.Pdfium, doc references.FPDF_DOCUMENT, b *document.Builder) {
	found, err := p.GetMetaData(&requests.GetMetaData{Document: doc, Tags: &[]string{"Title", "Author", "Subject", "Keywords", "CreationDate", "ModDate"}})
	if err != nil {
		return
	}
	for _, t := range found.Tags {
		switch v := strings.TrimSpace(strings.ToValidUTF8(t.Value, "")); t.Tag {
		case "Title":
			if v != "" && !fileName(v) {
				b.Title = v
			}
		case "Author":
			b.Meta("author", v)
		case "Subject":
			b.Meta("subject", v)
		case "Keywords":
			b.Meta("keywords", v)
		case "CreationDate":
			b.Meta("created", date(v))
		case "ModDate":
			b.Meta("modified", date(v))
		}
	}
}

// fileName tells a title such as "Microsoft Word - report.doc", "untitled" or "report.indd".
func fileName(title string) bool {
	low := strings.ToLower(title)
	if strings.HasPrefix(low, "microsoft word - ") || strings.HasPrefix(low, "microsoft powerpoint - ") || low == "untitled" || strings.HasPrefix(low, "untitled-") {
		return true
	}
	i := strings.LastIndexByte(low, '.')
	return i > 0 && len(low)-i <= 6 && !strings.ContainsAny(low, " \t") && strings.Trim(low[i+1:], "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// date turns D:20240305120000+08'00' into 2024-03-05T12:00:00+08:00, or what there is of it; empty when it is none.
func date(s string) string {
	s = strings.ReplaceAll(strings.TrimPrefix(s, "D:"), "'", "")
	for _, form := range []struct{ in, out string }{{"20060102150405Z0700", time.RFC3339}, {"20060102150405", "2006-01-02T15:04:05"}, {"20060102", "2006-01-02"}, {"200601", "2006-01"}, {"2006", "2006"}} {
		in := s
		if n := len(strings.TrimSuffix(form.in, "Z0700")); form.in != "20060102150405Z0700" {
			if len(in) < n {
				continue
			}
			in = in[:n]
		}
		if t, err := time.Parse(form.in, in); err == nil {
			return t.Format(form.out)
		}
	}
	return ""
}
