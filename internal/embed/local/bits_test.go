package local

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"runtime"
	"testing"

	"footnote/internal/simd"
)

// bitsOnEveryCPU is the SHA-256 of the vectors below. What changes it makes new vectors differ from stored ones in their last bits; what
// changes it on one architecture only, such as a multiplication and an addition that its compiler fuses, is a mistake.
const bitsOnEveryCPU = "629afa4e96bdffd3b85151f090f8c376deeef80f8a20f85c387063f19a8c3d8b"

func TestEmbedder_GivesTheSameBitsOnEveryCPU(t *testing.T) {
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = simd.Select("") }()
	for _, path := range simd.Paths() {
		if path == simd.Generic && raceEnabled {
			continue // plain Go is a hundred times slower
		}
		if err := simd.Select(path); err != nil {
			t.Fatal(err)
		}
		documents, err := e.EmbedDocuments(t.Context(), []string{"Sixteen weeks at full pay.", "育儿假为十六周，全薪。"})
		if err != nil {
			t.Fatal(err)
		}
		queries, err := e.EmbedQueries(t.Context(), []string{"How long is parental leave?"})
		if err != nil {
			t.Fatal(err)
		}
		hash := sha256.New()
		for _, v := range append(documents, queries[0], e.AcrossLanguages(queries[0])) {
			_ = binary.Write(hash, binary.LittleEndian, []float32(v))
		}
		if got := hex.EncodeToString(hash.Sum(nil)); got != bitsOnEveryCPU {
			t.Errorf("%s, %s: got vectors of hash %s, want %s", runtime.GOARCH, path, got, bitsOnEveryCPU)
		}
	}
}
