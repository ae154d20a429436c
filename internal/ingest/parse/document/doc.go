// Package document is what parsers of every format have in common: the builder that their blocks go into, the limits that they keep, and character sets.
package document
