package document

// Grid places the cells of a table whose cells span columns and rows. A cell that spans several is repeated in each: so every row can be read, and found, by itself.
type Grid struct {
	rows  [][]string
	below []spanning // by column: what reaches down into the next row
	at    int
	cells int // so far, repeated ones included
}

// spanning is a cell that reaches into rows below.
type spanning struct {
	text string
	rows int
}

// Bounds of what a file may say of a span.
const (
	maxColumnSpan = 64
	maxRowSpan    = 1000
	maxColumns    = 1 << 14 // as many as a worksheet has
	maxCells      = 1 << 20 // beyond them nothing is repeated
)

// Row begins a row.
func (g *Grid) Row() {
	g.finish()
	g.rows = append(g.rows, nil)
	g.at = 0
}

// finish fills the rest of the row with the cells that reach into it.
func (g *Grid) finish() {
	if len(g.rows) > 0 {
		g.skip(len(g.below))
	}
}

// skip puts cells from above in place, as long as there are some at the current column, and up to column to gaps between them.
func (g *Grid) skip(to int) {
	for g.at < len(g.below) && (g.below[g.at].rows > 0 || g.at < to && g.more(to)) {
		c := &g.below[g.at]
		s := ""
		if c.rows > 0 {
			c.rows--
			s = c.text
		}
		g.put(s)
	}
}

// more tells whether a cell from above stands between the current column and to.
func (g *Grid) more(to int) bool {
	for i := g.at; i < min(to, len(g.below)); i++ {
		if g.below[i].rows > 0 {
			return true
		}
	}
	return false
}

func (g *Grid) put(s string) {
	row := &g.rows[len(g.rows)-1]
	if len(*row) < maxColumns {
		*row = append(*row, s)
		g.cells++
	}
	g.at++
}

// Cell adds a cell that spans so many columns and rows; less than 1 is 1.
func (g *Grid) Cell(s string, columns, rows int) {
	if len(g.rows) == 0 {
		g.Row()
	}
	g.skip(0)
	if g.cells > maxCells {
		columns, rows, g.below = 1, 1, nil
	}
	columns, rows = min(max(columns, 1), maxColumnSpan), min(max(rows, 1), maxRowSpan)
	for range columns {
		if g.at >= maxColumns {
			return
		}
		for len(g.below) <= g.at {
			g.below = append(g.below, spanning{})
		}
		g.below[g.at] = spanning{s, rows - 1}
		g.put(s)
	}
}

// Rows are the rows so far.
func (g *Grid) Rows() [][]string {
	g.finish()
	return g.rows
}
