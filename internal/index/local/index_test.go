package local

import (
	"testing"

	"footnote/internal/index/indextest"
)

func TestIndex_PassesTheConformanceSuite(t *testing.T) {
	indextest.Run(t, func(t *testing.T) indextest.Index {
		x, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		return x
	})
}
