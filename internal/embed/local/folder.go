package local

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"

	"footnote/internal/rag"
)

// FolderOptions configures a model from a folder; the zero value is the model as its files describe it.
type FolderOptions struct {
	Options // centring is the built-in model's alone
	// QueryPrefix and DocumentPrefix, when not nil, go before queries and passages instead of the model's own prompts.
	QueryPrefix, DocumentPrefix *string
}

// FolderFiles says what a folder must hold, for messages.
const FolderFiles = "config.json, tokenizer.json, model.safetensors, modules.json and 1_Pooling/config.json"

// OpenFolder opens a BERT or XLM-RoBERTa encoder from a folder in Hugging Face's and sentence-transformers' layout; docs/models.md says
// which. The weights of the layers are packed into memory; the words' stay in the file, which must not change while it is in use.
// Errors: rag.Invalid for a model that cannot be run, with what is missing or not understood, and what to do.
func OpenFolder(dir string, o FolderOptions) (*Embedder, error) {
	e, err := openFolder(dir, o)
	if err != nil {
		return nil, &rag.Error{Code: rag.Invalid, Message: fmt.Sprintf("The model in %s cannot be used: %v.", dir, err)}
	}
	return e, nil
}

func openFolder(dir string, o FolderOptions) (_ *Embedder, err error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("there is no such folder; name one that holds %s", FolderFiles)
	}
	a, err := readArchitecture(dir)
	if err != nil {
		return nil, err
	}
	s, err := readSentence(dir)
	if err != nil {
		return nil, err
	}
	file, found, err := readBytes(dir, "tokenizer.json")
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, errors.New("tokenizer.json is missing; fetch the whole repository, or save the tokenizer anew with its fast class in transformers")
	}
	w, err := openCheckpoint(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	sh := a.shape()
	sh.clsPooling = s.clsPooling
	if w.word.width != sh.hidden {
		return nil, fmt.Errorf("the table of words has shape %v and config.json says hidden_size %d; fetch both of one model", w.word.shape, sh.hidden)
	}
	names := modelNames(dir, a.Name)
	e := newEmbedder(o.Options)
	e.model, e.tokens, e.check = names[0], sh.tokens(), w.check
	if s.maxTokens > 0 {
		e.tokens = min(e.tokens, s.maxTokens)
	}
	e.query, e.document = s.prefixes(names)
	if o.QueryPrefix != nil {
		e.query = *o.QueryPrefix
	}
	if o.DocumentPrefix != nil {
		e.document = *o.DocumentPrefix
	}
	var g errgroup.Group
	var digest string
	g.Go(func() (err error) {
		digest, err = w.digest()
		return err
	})
	g.Go(func() error {
		t, err := parseTokenizer(file, w.word.rows, s)
		if err != nil {
			return fmt.Errorf("tokenizer.json: %w", err)
		}
		e.tokenizer = t
		return nil
	})
	g.Go(func() (err error) {
		e.encoder, err = newEncoder(sh, w, o.Precision)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if n := e.MaxTokens(); n < 1 {
		return nil, fmt.Errorf("its %d tokens leave no room for a text beside the prefix; set a shorter FOOTNOTE_EMBED_QUERY_PREFIX or FOOTNOTE_EMBED_DOCUMENT_PREFIX", e.tokens)
	}
	version := arithmetic
	if o.Precision == Float32 {
		version = exactArithmetic
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %+v %t\n%s\n%q %q\n%x", version, sh, s.lowercase, digest, e.query, e.document, sha256.Sum256(file))
	e.fingerprint = "bert-" + hex.EncodeToString(sum.Sum(nil))[:24]
	return e, nil
}
