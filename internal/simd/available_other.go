//go:build !amd64

package simd

func available() []*kernels { return []*kernels{generic} }
