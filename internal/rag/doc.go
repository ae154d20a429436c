// Package rag is the vocabulary of Footnote: the domain's types, their invariants and the errors that every room speaks.
//
// It imports the standard library only and knows neither SQL nor HTTP: no struct tag, no driver, no client. Positions in
// text are Unicode code points throughout; a Span is half-open.
package rag
