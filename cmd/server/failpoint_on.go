//go:build failpoints

package main

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// failpoint kills this process, as kill -9 does, when the step named in FAILPOINT ("embed:3": the third time) has passed.
func failpoint() func(stage string) {
	name, nth, _ := strings.Cut(os.Getenv("FAILPOINT"), ":")
	if name == "" {
		return nil
	}
	n, err := strconv.Atoi(nth)
	if err != nil {
		n = 1
	}
	var passed atomic.Int64
	return func(stage string) {
		if stage == name && passed.Add(1) == int64(n) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}

// checkpointEvery is CHECKPOINT, such as 20ms: so often that crashes fall between checkpoints of every kind.
func checkpointEvery() time.Duration {
	d, _ := time.ParseDuration(os.Getenv("CHECKPOINT")) // 0 when there is none
	return d
}
