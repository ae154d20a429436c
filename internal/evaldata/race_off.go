//go:build !race

package evaldata

const race = false
