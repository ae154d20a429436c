//go:build !linux

package postgres

import "os/exec"

// account is an unprivileged user of the system.
type account struct{ uid, gid int }

// apply does nothing where processes cannot be tied together: the server is ended by Main.
func (a *account) apply(*exec.Cmd) {}
