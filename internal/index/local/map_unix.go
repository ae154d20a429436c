//go:build unix

package local

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps a file into memory, to be read only. An empty one cannot be mapped, and is no segment either.
func mapFile(path string) (data []byte, unmap func([]byte), err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.Size() == 0 {
		return nil, nil, damaged("the file is empty")
	}
	if data, err = unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return nil, nil, err
	}
	return data, func(b []byte) { _ = unix.Munmap(b) }, nil // what was mapped can be unmapped
}
