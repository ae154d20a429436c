package main

import (
	"fmt"
	"slices"
	"testing"

	"footnote/internal/eval"
	"footnote/internal/evaldata"
	"footnote/internal/rag"
)

// TestQuality_IdentifiersAreFoundAsTyped takes in 2,400 short documents of the same prose, each with identifiers of its own, and asks for single ones.
func TestQuality_IdentifiersAreFoundAsTyped(t *testing.T) {
	evaldata.Quality(t)
	t.Parallel()
	s := startService(t)
	ctx := t.Context()
	if _, err := s.app.ingest.CreateCollection(ctx, rag.Collection{Name: "identifiers"}); err != nil {
		t.Fatal(err)
	}
	parts := []string{"pump", "valve", "gateway", "printer", "scanner", "boiler", "router", "camera"}
	零件 := []string{"水泵", "阀门", "网关", "打印机", "扫描仪", "锅炉", "路由器", "相机"}
	surnames, given := []rune("王李張劉陳楊黃趙吳周"), []rune("偉芳娜敏靜麗強磊軍洋勇艷杰濤明超霞平剛桂")
	var documents []eval.Document
	for i := range 1200 {
		name := string([]rune{surnames[i%10], given[i/10%20], given[(i/200*7+i)%20]})
		documents = append(documents,
			eval.Document{ID: fmt.Sprintf("en%d", i), Title: "Service note", Text: fmt.Sprintf("When the %s reports error ERR_%d, switch it off, order part KX-%d-B and install release v1.%d.%d before you start it again.",
				parts[i%8], 1000+i, 4000+i, i%60, i/60)},
			eval.Document{ID: fmt.Sprintf("zh%d", i), Title: "维修说明", Text: fmt.Sprintf("%s出现错误码 E%d-%d 时，请先关闭电源，再联系工程师%s更换零件，然后重新启动设备。", 零件[i%8], i%7, 2000+i, name)})
	}
	special := []eval.Document{
		{ID: "err", Title: "Service note", Text: "When the pump reports error ERR_404, switch it off, order part KX-77-C and install release v1.88.3 before you start it again."},
		{ID: "odd", Title: "Service note", Text: "When the boiler reports QZX_90210, switch it off, order part M8×40/ZN-17 and install it before you start it again."},
		{ID: "name", Title: "维修说明", Text: "水泵出现异响时，请先关闭电源，再联系工程师司徒慕嵐更换零件，然后重新启动设备。"},
		{ID: "code", Title: "維修說明", Text: "閥門出現錯誤碼 WX_5150 時，請先關閉電源，再聯絡工程師更換零件Ｈ１２－３４５，然後重新啟動設備。"},
	}
	e := evaluated{app: s.app, collection: "identifiers"}
	for batch := range slices.Chunk(append(documents, special...), 256) {
		if err := e.Add(ctx, batch); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]string{
		// Alone, and parts of nothing else.
		"QZX_90210": "odd", "qzx_90210": "odd", "ZN-17": "odd", "司徒慕嵐": "name", "司徒慕岚": "name", "WX_5150": "code", "ＷＸ＿５１５０": "code", "H12-345": "code",
		// Alone, of a scheme that all documents use.
		"ERR_404": "err", "ＥＲＲ＿４０４": "err", "err_404": "err", "KX-77-C": "err", "v1.88.3": "err", "ERR_1234": "en234", "KX-4321-B": "en321", "v1.17.4": "en257", "E3-2654": "zh654", "Ｅ３－２６５４": "zh654",
		// Within a sentence.
		"How do I fix error ERR_404 on the pump?": "err", "the boiler shows QZX_90210 😀": "odd", "錯誤碼 WX_5150": "code", "错误码WX_5150怎么处理？": "code", "聯絡工程師司徒慕嵐": "name", "錯誤碼 E3-2654 是什麼意思？": "zh654",
		// In the other language than the document.
		"錯誤碼 ERR_404": "err", "出现 QZX_90210 怎么办？": "odd", "What does WX_5150 mean?": "code", "Which device shows E3-2654?": "zh654",
	} {
		got, err := s.app.search.Search(ctx, rag.Query{Text: query, Collections: []string{"identifiers"}})
		if err != nil {
			t.Fatal(err)
		}
		if h := got.Hits[0]; h.Document.ExternalID != want {
			t.Errorf("%q: got %s, dense %+v, lexical %+v", query, h.Document.ExternalID, h.Dense, h.Lexical)
		}
	}
}
