//go:build !unix

package local

import "os"

// mapFile reads the file.
func mapFile(path string) (data []byte, unmap func([]byte), err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	m := &memory{}
	m.Write(b) // aligned
	return m.bytes(), func([]byte) {}, nil
}
