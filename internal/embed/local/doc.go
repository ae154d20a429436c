// Package local is the embedding engine: the built-in model, multilingual-e5-small, 384 dimensions, English, Chinese and about a hundred
// languages, run in pure Go and assembly from weights inside the binary; and, in its place, a BERT or XLM-RoBERTa encoder from a folder in
// Hugging Face's and sentence-transformers' layout (OpenFolder).
//
// It owns the weights and their files, the tokenizers, the encoder and the post-processing of its vectors. The kernels are in simd.
package local
