//go:build race

package evaldata

const race = true
