//go:build !failpoints

package main

// failpoint is nil in every build that people run; the crash tests build with the tag failpoints.
func failpoint() func(stage string) { return nil }
