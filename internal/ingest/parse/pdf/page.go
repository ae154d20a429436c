package pdf

import (
	"errors"
	"strings"

	pdfium "github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/responses"
)

// sheet is a page as it was read: its lines in the order in which the file has them, which is mostly that of reading.
type sheet struct {
	lines  []line
	images bool // it has images
	failed bool

	scanned string // what the images say, where they were transcribed
}

// errBroken says that the instance can do no more.
var errBroken = errors.New("the PDF reader stopped")

func readPage(p pdfium.Pdfium, doc references.FPDF_DOCUMENT, i int) (s sheet, err error) {
	page, err := p.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: doc, Index: i})
	if err != nil {
		return s, broken(err)
	}
	s.lines, err = readText(p, page.Page)
	if err == nil && hasAnnotations(p, page.Page) {
		page, err = flatten(p, doc, i, page)
		if err != nil {
			return s, broken(err)
		}
		// Flattening may lose the page's own text where the file is damaged.
		var flat []line
		if flat, err = readText(p, page.Page); err == nil && length(flat) > length(s.lines) {
			s.lines = flat
		}
	}
	if err != nil {
		return s, broken(err)
	}
	if len(s.lines) == 0 {
		s.images = hasImages(p, page.Page)
	}
	if _, err := p.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: page.Page}); err != nil {
		return s, broken(err)
	}
	return s, nil
}

func length(lines []line) (n int) {
	for _, l := range lines {
		n += len(l.text)
	}
	return n
}

// readText reads the lines of a page.
func readText(p pdfium.Pdfium, page references.FPDF_PAGE) ([]line, error) {
	text, err := p.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: requests.Page{ByReference: &page}})
	if err != nil {
		return nil, err
	}
	r := reader{p: p, text: text.TextPage}
	if err := r.read(); err != nil {
		return nil, err
	}
	_, err = p.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: text.TextPage})
	return r.lines, err
}

func hasAnnotations(p pdfium.Pdfium, page references.FPDF_PAGE) bool {
	n, err := p.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: requests.Page{ByReference: &page}})
	return err == nil && n.Count > 0
}

// flatten makes what annotations and the fields of forms show a part of the page, whose text has neither otherwise: a filled-in form says most in its fields.
// The page is loaded anew.
func flatten(p pdfium.Pdfium, doc references.FPDF_DOCUMENT, i int, page *responses.FPDF_LoadPage) (*responses.FPDF_LoadPage, error) {
	if _, err := p.FPDFPage_Flatten(&requests.FPDFPage_Flatten{Page: requests.Page{ByReference: &page.Page}, Usage: requests.FPDFPage_FlattenUsageNormalDisplay}); err != nil && errors.Is(broken(err), errBroken) {
		return nil, err
	}
	if _, err := p.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: page.Page}); err != nil {
		return nil, err
	}
	return p.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: doc, Index: i})
}

// broken marks errors after which an instance of WebAssembly must not be called again.
func broken(err error) error {
	if m := err.Error(); strings.Contains(m, "wasm") || strings.Contains(m, "module closed") || strings.Contains(m, "panic") {
		return errors.Join(errBroken, err)
	}
	return err
}

func hasImages(p pdfium.Pdfium, page references.FPDF_PAGE) bool {
	ref := requests.Page{ByReference: &page}
	n, err := p.FPDFPage_CountObjects(&requests.FPDFPage_CountObjects{Page: ref})
	return err == nil && n.Count > 0 // without text, whatever is drawn is a picture
}
