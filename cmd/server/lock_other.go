//go:build !unix

package main

import "os"

// lockFile has no lock to take here: SQLite's own keeps the store whole, and starting two services on one folder is up to the user.
func lockFile(*os.File) (bool, error) { return true, nil }
