package local

import (
	"encoding/binary"
	"unsafe"
)

// view reads s, little-endian, as a slice: in place where the machine is little-endian and s aligned, else in memory of its own. Bytes past the last whole element
// are left out. Nobody may write to it.
func view[T uint16 | uint32 | uint64 | float32](s string) []T {
	var element T
	size := int(unsafe.Sizeof(element))
	n := len(s) / size
	if n == 0 {
		return nil
	}
	start := unsafe.Pointer(unsafe.StringData(s))
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 && uintptr(start)%uintptr(size) == 0 {
		return unsafe.Slice((*T)(start), n)
	}
	out := make([]T, n)
	if _, err := binary.Decode([]byte(s), binary.LittleEndian, out); err != nil {
		panic(err) // it decodes any bytes that are enough
	}
	return out
}
