package main

import (
	"fmt"
	"strings"
	"testing"
)

// allowances is a table that is longer than a chunk, with a head in one language.
func allowances(head string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Travel 差旅\n\n%s\n|---|---|---|\n", head)
	for i, city := range []string{"Taipei 臺北", "Kaohsiung 高雄", "Taichung 臺中", "Tainan 臺南", "Hualien 花蓮", "Keelung 基隆", "Chiayi 嘉義", "Pingtung 屏東", "Yilan 宜蘭", "Miaoli 苗栗", "Nantou 南投", "Penghu 澎湖"} {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", city, 1000+37*i, 3+i)
	}
	return b.String()
}

func TestContext_PiecesOfATableAreFoundAndReadByItsHead(t *testing.T) {
	bothModes(t, testContext_PiecesOfATableAreFoundAndReadByItsHead)
}

func testContext_PiecesOfATableAreFoundAndReadByItsHead(t *testing.T) {
	s := startService(t)
	s.call("POST", "/v1/collections", map[string]any{"name": "rates", "chunking": map[string]any{"target_tokens": 48, "overlap_tokens": 0}}, 201, nil)
	heads := map[string]string{"en.md": "Destination | Overnight stipend | Days", "zh.md": "地點 | 住宿補貼 | 天數"}
	for name, head := range heads {
		s.add("rates", name, allowances("| "+head+" |"), nil)
	}
	type chunkJSON struct{ Text, Context string }
	for name, head := range heads {
		var stored struct{ Data []chunkJSON }
		s.call("GET", "/v1/collections/rates/documents/"+name+"/chunks", nil, 200, &stored)
		if len(stored.Data) < 3 {
			t.Fatalf("%s: got %d chunks, want several", name, len(stored.Data))
		}
		for i, c := range stored.Data {
			want := head
			if i == 0 {
				want = "" // it holds the head
			}
			if c.Context != want {
				t.Errorf("%s: chunk %d has the context %q, want %q", name, i, c.Context, want)
			}
		}
	}
	// Words of the head find every piece of the table, in the lexical half too, and nothing of the head is quoted.
	for query, document := range map[string]string{"stipend for Penghu": "en.md", "澎湖的住宿補貼": "zh.md"} {
		var found struct {
			Hits []struct {
				Document struct {
					ExternalID string `json:"external_id"`
				}
				Chunk chunkJSON
			}
		}
		s.call("POST", "/v1/search", map[string]any{"query": query, "collections": []string{"rates"}, "mode": "lexical", "top_k": 1}, 200, &found)
		if len(found.Hits) != 1 || found.Hits[0].Document.ExternalID != document || !strings.Contains(found.Hits[0].Chunk.Text, "澎湖") || found.Hits[0].Chunk.Context != heads[document] {
			t.Errorf("%s: got %+v, want the last piece of %s with its head beside it", query, found.Hits, document)
		}
		var answer struct {
			answerJSON
			Passages []chunkJSON
		}
		s.call("POST", "/v1/query", map[string]any{"query": query, "collections": []string{"rates"}}, 200, &answer)
		s.grounded("rates", answer.answerJSON)
		with := 0
		for _, p := range answer.Passages {
			if p.Context != "" {
				with++
			}
			if p.Context != "" && strings.Contains(p.Text, p.Context) {
				t.Errorf("%s: the passage %q holds its own context", query, p.Text)
			}
		}
		if with == 0 {
			t.Errorf("%s: no passage has a context: %+v", query, answer.Passages)
		}
	}
}
