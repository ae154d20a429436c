//go:build unix

package main

import (
	"os"
	"syscall"
)

// lockFile takes an exclusive lock that ends with the process, however it ends. ok is false when another process has it.
func lockFile(f *os.File) (ok bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK {
		return false, nil
	}
	return err == nil, err
}
