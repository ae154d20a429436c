//go:build !failpoints

package main

import "time"

// failpoint is nil in every build that people run; the crash tests build with the tag failpoints.
func failpoint() func(stage string) { return nil }

// checkpointEvery is ingest's own default.
func checkpointEvery() time.Duration { return 0 }
