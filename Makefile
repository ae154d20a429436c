# Footnote. `make demo` shows it at work, `make test` checks everything.
GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOFLAGS_BUILD = -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

.PHONY: build demo test lint bench eval clean

build: ## bin/footnote, one static binary
	CGO_ENABLED=0 $(GO) build $(GOFLAGS_BUILD) -o bin/footnote ./cmd/server

demo: build ## start the service with sample documents, ask three questions, keep serving
	./bin/footnote demo

test: lint ## everything, with the race detector
	$(GO) test -race -timeout 20m ./...

lint: ## formatting and vet
	@unformatted=$$(gofmt -l cmd internal api 2>/dev/null); if [ -n "$$unformatted" ]; then echo "gofmt these: $$unformatted"; exit 1; fi
	$(GO) vet ./...
	GOARCH=arm64 $(GO) vet ./internal/simd ./internal/embed/...

bench: ## speed, as figures to compare in one run
	$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/...

clean:
	rm -rf bin
