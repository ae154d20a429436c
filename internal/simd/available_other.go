//go:build !amd64 && !arm64

package simd

func available() []*kernels { return []*kernels{generic} }
