package simd

// What only the assembly reads; linters see no use of it.
var (
	//lint:ignore U1000 the assembly's
	unpackOrder = [8]uint32{0, 4, 1, 5, 2, 6, 3, 7}
	// masks[16−n:] begins with n lanes that are set.
	//
	//lint:ignore U1000 the assembly's
	masks = func() (m [32]uint32) {
		for i := range 16 {
			m[i] = 1<<32 - 1
		}
		return m
	}()
	// geluWide is each coefficient of geluc eight times.
	//
	//lint:ignore U1000 the assembly's
	geluWide = func() (wide [7][8]float32) {
		for i, c := range geluc {
			for j := range wide[i] {
				wide[i][j] = c
			}
		}
		return wide
	}()

	//lint:ignore U1000 the assembly's
	two55 = float32(255)
	//lint:ignore U1000 the assembly's
	one = float32(1)
	//lint:ignore U1000 the assembly's
	absolute = uint32(1<<31 - 1) // all bits but the sign
)
