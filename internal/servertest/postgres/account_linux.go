//go:build linux

package postgres

import (
	"os/exec"
	"syscall"
)

// account is an unprivileged user of the system.
type account struct{ uid, gid int }

// apply makes cmd run as the account, when there is one, and end with this process.
func (a *account) apply(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT}
	cmd.Dir = "/"
	if a != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
}
