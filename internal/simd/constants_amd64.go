package simd

// What the assembly has in memory.
var (
	unpackOrder = [8]uint32{0, 4, 1, 5, 2, 6, 3, 7}
	// masks[16−n:] begins with n lanes that are set.
	masks = func() (m [32]uint32) {
		for i := range 16 {
			m[i] = 1<<32 - 1
		}
		return m
	}()
	// geluWide is each coefficient of geluc eight times.
	geluWide = func() (wide [7][8]float32) {
		for i, c := range geluc {
			for j := range wide[i] {
				wide[i][j] = c
			}
		}
		return wide
	}()
)
