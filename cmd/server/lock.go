package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// errInUse says that another process has the data folder; Address is where it listens, when it said so.
type errInUse struct{ Folder, Address string }

func (e errInUse) Error() string {
	return fmt.Sprintf("the data folder %s is in use by another footnote process; stop it, or name another folder with --data", e.Folder)
}

// takeLock keeps a second process out of the data folder: the index lives in the process, so two would not see each other's writes.
func (a *app) takeLock() error {
	f, err := os.OpenFile(filepath.Join(a.config.Data, "footnote.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the lock file: %w", err)
	}
	ok, err := lockFile(f)
	if err == nil && !ok {
		address, _ := os.ReadFile(f.Name())
		err = errInUse{a.config.Data, strings.TrimSpace(string(address))}
	}
	if err != nil {
		f.Close()
		return err
	}
	a.lock = f
	return f.Truncate(0)
}

// announce writes the address of the service into the lock file, for commands that find the folder in use.
func (a *app) announce(address string) error {
	if a.lock == nil {
		return nil
	}
	_, err := a.lock.WriteAt([]byte("http://"+address+"\n"), 0)
	return err
}
