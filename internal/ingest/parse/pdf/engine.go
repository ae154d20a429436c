// Package pdf reads the text of PDF files, with PDFium compiled to WebAssembly: in order, by columns, as headings, paragraphs, lists and tables with their page.
//
// A file cannot reach beyond the sandbox: it has no file system, no network, a bound on memory, and its work ends when the context does. A file that breaks PDFium
// breaks its own instance, nothing else.
package pdf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	pdfium "github.com/klippa-app/go-pdfium"
	pdfiumerrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"footnote/internal/rag"
)

// memoryPages bounds what one file may take, in WebAssembly's pages of 64 KiB: 1 GiB.
const memoryPages = 1 << 14

// pool compiles PDFium, once, when the first PDF comes: some seconds, or a tenth of one where the compiled code can be kept in the user's cache folder.
var pool = sync.OnceValues(func() (pdfium.Pool, error) {
	c := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling). // PDFium's libraries use setjmp
		WithMemoryLimitPages(memoryPages).
		WithCloseOnContextDone(true)
	if dir, err := os.UserCacheDir(); err == nil {
		if cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(dir, "footnote", "wasm")); err == nil {
			c = c.WithCompilationCache(cache)
		}
	}
	p, err := webassembly.Init(webassembly.Config{
		MaxTotal: runtime.GOMAXPROCS(0), FSConfig: wazero.NewFSConfig(), RuntimeConfig: c, Stdout: io.Discard, Stderr: io.Discard,
	})
	if err != nil {
		return nil, fmt.Errorf("start the PDF reader: %w", err)
	}
	return p, nil
})

// withInstance runs f with an instance of PDFium of its own, which is thrown away afterwards. When ctx ends, the instance is stopped inside whatever it does.
func withInstance(ctx context.Context, f func(pdfium.Pdfium) error) (err error) {
	p, err := pool()
	if err != nil {
		return err
	}
	instance, err := p.GetInstanceWithContext(ctx)
	if err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("get a PDF reader: %w", err))
	}
	killed := false
	var mu sync.Mutex
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		killed = true
		_ = instance.Kill() // it only fails when the instance is closed already
	})
	defer func() {
		stop()
		mu.Lock()
		defer mu.Unlock()
		if r := recover(); r != nil {
			err = fmt.Errorf("the PDF reader broke: %v", r)
		}
		if !killed {
			if closing := instance.Close(); closing != nil && err == nil {
				err = fmt.Errorf("close the PDF reader: %w", closing)
			}
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}()
	return f(instance)
}

// explain says what an error of PDFium means to whoever sent the file.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pdfiumerrors.ErrPassword):
		return rag.Errorf(rag.Invalid, "The PDF is encrypted and asks for a password; send it without one.")
	case errors.Is(err, pdfiumerrors.ErrFormat):
		return rag.Errorf(rag.Invalid, "The file is damaged: it is no PDF that can be opened.")
	case strings.Contains(err.Error(), "out of memory") || strings.Contains(err.Error(), "memory access"):
		return rag.Errorf(rag.Invalid, "The PDF is damaged, or needs more than the %d MiB of memory that one file may take: %w", memoryPages/16, err)
	}
	return rag.Errorf(rag.Invalid, "The PDF could not be read: %w", err)
}
