package main

import (
	"bufio"
	_ "embed" // the peer's script
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

//go:embed onnx.py
var script string

// peer is ONNX Runtime in a Python process of its own, idle while we run.
type peer struct {
	version string
	models  map[string]string // name → file
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	batch   map[string]int // the batch size that the model likes best
}

// openPeer starts python with every *.onnx file in dir: one whose name ends in -q or -int8 is in 8 bits, the others are in float32.
func openPeer(python, dir string) (*peer, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.onnx"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no .onnx file", dir)
	}
	p := &peer{models: map[string]string{}, batch: map[string]int{}}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".onnx")
		kind := "f32"
		if strings.HasSuffix(name, "-q") || strings.HasSuffix(name, "-int8") {
			kind = "int8"
		}
		if p.models[kind], err = filepath.Abs(f); err != nil {
			return nil, err
		}
	}
	p.command = exec.Command(python, "-c", script)
	p.command.Stderr = os.Stderr
	in, err := p.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	var hello struct{ Version string }
	if err := p.read(&hello); err != nil {
		return nil, errors.Join(errors.New("ONNX Runtime does not start: pip install onnxruntime numpy, and name that Python with -python"), err, p.close())
	}
	p.version = hello.Version
	return p, nil
}

func (p *peer) read(v any) error {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, v)
}

// run returns how long each repetition of the sequences took, in seconds.
func (p *peer) run(model string, lengths []int, batch, repeat, threads int) ([]float64, error) {
	ids := make([][]int, len(lengths))
	for i, n := range lengths {
		ids[i] = make([]int, n)
		for j := range ids[i] {
			ids[i][j] = 1000 + (i*7919+j*104729)%28000 // any pieces: the arithmetic does not look at them
		}
	}
	request, err := json.Marshal(map[string]any{"model": p.models[model], "ids": ids, "batch": batch, "repeat": repeat, "threads": threads})
	if err != nil {
		return nil, err
	}
	if _, err := p.in.Write(append(request, '\n')); err != nil {
		return nil, err
	}
	var answer struct{ Seconds []float64 }
	if err := p.read(&answer); err != nil {
		return nil, fmt.Errorf("the peer stopped: %w", err)
	}
	return answer.Seconds, nil
}

// bestBatch finds the batch size at which the model does the lengths fastest, once.
func (p *peer) bestBatch(model string, lengths []int, threads int) (int, error) {
	if b, ok := p.batch[model]; ok {
		return b, nil
	}
	best, least := 1, 0.0
	for _, b := range []int{1, 4, 8, 16, 32} {
		s, err := p.run(model, lengths, b, 3, threads)
		if err != nil {
			return 0, err
		}
		sort.Float64s(s)
		if least == 0 || s[0] < least {
			best, least = b, s[0]
		}
	}
	p.batch[model] = best
	return best, nil
}

func (p *peer) close() error {
	return errors.Join(p.in.Close(), p.command.Wait())
}
