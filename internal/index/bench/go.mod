module footnote/internal/index/bench

go 1.26.0

require (
	footnote v0.0.0
	github.com/blevesearch/bleve/v2 v2.5.7
	github.com/philippgille/chromem-go v0.7.0
)

replace footnote => ../../..
