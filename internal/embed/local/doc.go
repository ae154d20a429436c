// Package local is the built-in embedding engine: multilingual-e5-small, 384 dimensions, English, Chinese and about a hundred
// languages, run in pure Go and assembly from weights inside the binary.
//
// It owns the weights file, the tokenizer, the encoder and the post-processing of its vectors. The kernels are in simd.
package local
