package pdf

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"time"

	pdfium "github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"golang.org/x/sync/errgroup"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// Bounds of what is transcribed of one file.
const (
	maxScans   = 200  // pages; those after them are named as not read
	scanPixels = 1800 // of a rendered page's longer side: 150 dots an inch of a page of A4
	atOnce     = 4    // pages at an endpoint
	spare      = 5 * time.Second
)

// scan tells a page that shows images and has no text.
func (s sheet) scan() bool { return len(s.lines) == 0 && s.images && !s.failed }

// transcribe fills in what the pages that are scans say. A page that cannot be transcribed stays without, and the first reason is a warning, unless it is that the endpoint is down: then the whole file has to come
// again. It ends some seconds before ctx does, so that the
// pages which were read are not lost with the others.
func transcribe(ctx context.Context, p pdfium.Pdfium, doc references.FPDF_DOCUMENT, b *document.Builder, pages []sheet) error {
	if b.Transcribe == nil {
		return nil
	}
	if end, ok := ctx.Deadline(); ok {
		var cancel func()
		ctx, cancel = context.WithDeadline(ctx, end.Add(-spare))
		defer cancel()
	}
	errs := make([]error, len(pages))
	var g errgroup.Group
	g.SetLimit(atOnce)
	scans := 0
	for i := range pages {
		if !pages[i].scan() {
			continue
		}
		if scans++; scans > maxScans || ctx.Err() != nil {
			break
		}
		content, err := render(p, doc, i)
		if err != nil {
			errs[i] = err
			if errors.Is(broken(err), errBroken) {
				break // what the other pages say has been asked for already
			}
			continue
		}
		g.Go(func() error {
			pages[i].scanned, errs[i] = b.Transcribe(ctx, "image/png", content)
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	for i, err := range errs {
		if code := rag.CodeOf(err); err != nil && (code == rag.Unavailable || code == rag.RateLimited) {
			return err
		}
		if err != nil {
			b.Warn("page %d could not be transcribed: %s", i+1, rag.Clip(err.Error(), 300))
			break
		}
	}
	if scans > maxScans {
		b.Warn("of the pages that are scans, the first %d were transcribed", maxScans)
	}
	return nil
}

// render draws a page as a PNG.
func render(p pdfium.Pdfium, doc references.FPDF_DOCUMENT, i int) ([]byte, error) {
	drawn, err := p.RenderPageInPixels(&requests.RenderPageInPixels{Page: requests.Page{ByIndex: &requests.PageByIndex{Document: doc, Index: i}}, Width: scanPixels, Height: scanPixels})
	if err != nil {
		return nil, err
	}
	defer drawn.Cleanup()
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, drawn.Result.RenderedImage); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
