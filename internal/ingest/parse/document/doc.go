// Package document is what parsers of every format have in common: the builder that their blocks go into, the limits that they keep, and character sets.
//
// A parser adds what it can read and warns of what it leaves out. Its errors end the file: rag.TooLarge for what is over a limit, ctx's own, and any other for a file that is not what it should be, which
// package parse makes rag.Invalid with the file's name and format.
package document
