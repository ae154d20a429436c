//go:build amd64 || arm64

package simd

// unpacking says how eight integers of one width, in as many bytes, become eight of 32 bits: 16 bytes from the first and 16 from byte high go to the two halves of a register, or to two registers, each half's
// bytes are moved so that every integer has the four that it is within, and shifted and cut.
type unpacking struct {
	shuffle [32]byte
	shift   [8]uint32
	mask    [8]uint32
	high    uint64
}

var unpackings = func() (all [MaxUnpackWidth + 1]unpacking) {
	for width := range all {
		u := &all[width]
		u.high = uint64(4 * width / 8)
		for i := range 8 {
			at := i * width
			if i >= 4 {
				at -= int(u.high) * 8
			}
			for b := range 4 {
				u.shuffle[4*i+b] = byte(at/8 + b)
			}
			u.shift[i], u.mask[i] = uint32(at%8), 1<<width-1
		}
	}
	return all
}()
