package local

import (
	"testing"

	"footnote/internal/index/indextest"
)

func TestIndex_PassesTheConformanceSuite(t *testing.T) {
	indextest.Run(t, func(*testing.T) indextest.Index { return New() })
}
