package main

import (
	"bytes"
	"context"
	"fmt"
	drawing "image" // a test has an image of its own
	"image/color"
	"image/png"
	"strings"
	"unicode"

	"footnote/internal/config"
	"footnote/internal/llm"
	"footnote/internal/rag"
)

// examineOCR has the endpoint read a small picture, since one that answers need not see.
func examineOCR(ctx context.Context, c config.Config) finding {
	const check = "OCR"
	if c.OCRBaseURL == "" {
		return finding{Check: check, OK: true, Found: "no endpoint named: images are refused, scanned pages named in warnings"}
	}
	picture, err := testPicture()
	if err != nil {
		return finding{Check: check, Found: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, c.OCRTimeout)
	defer cancel()
	said, err := llm.New(llm.Options{BaseURL: c.OCRBaseURL, Model: c.OCRModel, APIKey: c.OCRAPIKey.Reveal(), Timeout: c.OCRTimeout, Setting: "FOOTNOTE_OCR"}).Transcribe(ctx, "image/png", picture)
	if err != nil {
		return finding{Check: check, Found: message(err), Remedy: "Correct FOOTNOTE_OCR_BASE_URL, _MODEL and _API_KEY; the model must take images. Until then files with images wait for it."}
	}
	if !reads(said) {
		return finding{Check: check, Found: fmt.Sprintf("%s at %s answered %q to a picture that says %q", c.OCRModel, c.OCRBaseURL, rag.Clip(strings.TrimSpace(said), 120), strings.Join(testWords, " ")),
			Remedy: "The model does not see, or not well enough: name one in FOOTNOTE_OCR_MODEL that reads images."}
	}
	return finding{Check: check, OK: true, Found: fmt.Sprintf("%s at %s reads: %q", c.OCRModel, c.OCRBaseURL, rag.Clip(strings.TrimSpace(said), 120))}
}

// testWords are what the picture says, a line each. The number is none that a model would guess.
var testWords = []string{"FOOTNOTE", "READS 4827"}

// reads tells whether an answer has the number, or else the two words, however they are written.
func reads(said string) bool {
	said = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPunct(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, said)
	return strings.Contains(said, "4827") || strings.Contains(said, "FOOTNOTE") && strings.Contains(said, "READS")
}

// glyphs are the letters of the picture, five dots by seven.
var glyphs = map[rune][7]string{
	'F': {"#####", "#....", "#....", "####.", "#....", "#....", "#...."},
	'O': {".###.", "#...#", "#...#", "#...#", "#...#", "#...#", ".###."},
	'T': {"#####", "..#..", "..#..", "..#..", "..#..", "..#..", "..#.."},
	'N': {"#...#", "##..#", "#.#.#", "#.#.#", "#.#.#", "#..##", "#...#"},
	'E': {"#####", "#....", "#....", "####.", "#....", "#....", "#####"},
	'R': {"####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#"},
	'A': {".###.", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"},
	'D': {"####.", "#...#", "#...#", "#...#", "#...#", "#...#", "####."},
	'S': {".####", "#....", "#....", ".###.", "....#", "....#", "####."},
	'4': {"...#.", "..##.", ".#.#.", "#..#.", "#####", "...#.", "...#."},
	'8': {".###.", "#...#", "#...#", ".###.", "#...#", "#...#", ".###."},
	'2': {".###.", "#...#", "....#", "...#.", "..#..", ".#...", "#####"},
	'7': {"#####", "....#", "...#.", "..#..", "..#..", "..#..", "..#.."},
}

// The picture's measures, in pixels.
const (
	dot    = 8
	letter = 6 * dot  // and the space after it
	line   = 11 * dot // and the space below it
	border = 4 * dot
)

// testPicture draws the words, black on white, as a PNG.
func testPicture() ([]byte, error) {
	width := 0
	for _, words := range testWords {
		width = max(width, len(words)*letter)
	}
	img := drawing.NewGray(drawing.Rect(0, 0, width+2*border, len(testWords)*line+2*border))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	for row, words := range testWords {
		for column, r := range words {
			for y, dots := range glyphs[r] {
				for x, d := range dots {
					if d != '#' {
						continue
					}
					left, top := border+column*letter+x*dot, border+row*line+y*dot
					for at := range dot * dot {
						img.SetGray(left+at%dot, top+at/dot, color.Gray{})
					}
				}
			}
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}
