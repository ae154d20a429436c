package local

import (
	"runtime"
	"slices"
)

// Compaction is size-tiered: eight segments of one tier become one of the next, so that a point is rewritten once for every eightfold growth of its
// collection. A segment of which a quarter is dead is rewritten alone.
const tierWidth = 8

// plan chooses what to merge now, as places in the snapshot; nil: nothing.
func (s *snapshot) plan() []int {
	tiers := map[int][]int{}
	for i := range s.segments {
		v := &s.segments[i]
		live := v.n - v.dead.number()
		if 4*v.dead.number() >= v.n {
			return []int{i}
		}
		if live > maxSegment/2 {
			continue
		}
		tier := 0
		for n := live / s.layout.headPoints; n >= tierWidth; n /= tierWidth {
			tier++
		}
		tiers[tier] = append(tiers[tier], i)
	}
	for tier := range len(tiers) + 3 {
		members := tiers[tier]
		if len(members) < tierWidth {
			continue
		}
		slices.SortStableFunc(members, func(a, b int) int { return s.segments[a].n - s.segments[b].n })
		total, take := 0, 0
		for take < tierWidth && total+s.segments[members[take]].n <= maxSegment {
			total += s.segments[members[take]].n
			take++
		}
		if take > 1 {
			chosen := members[:take]
			slices.Sort(chosen)
			return chosen
		}
	}
	return nil
}

// compactSoon starts the work in the background when there is some. The caller has c's lock.
func (x *Index) compactSoon(c *collection) {
	if c.compacting || c.dropped || x.stop.Err() != nil || c.current.Load().plan() == nil {
		return
	}
	c.compacting = true
	x.work.Go(func() {
		select {
		case x.slot <- struct{}{}:
			defer func() { <-x.slot }()
		case <-x.stop.Done():
		}
		for x.stop.Err() == nil && c.compact() {
		}
	})
}

// compact merges what plan says; false when there was nothing, or c is gone.
func (c *collection) compact() bool {
	c.mu.Lock()
	s := c.current.Load()
	chosen := s.plan()
	if chosen == nil || c.dropped {
		c.compacting = false
		c.mu.Unlock()
		return false
	}
	var parts []part
	var from []*segmentPart
	n := 0
	for _, i := range chosen {
		v := s.segments[i]
		p := newSegmentPart(v.segment, c.layout, v.dead.set())
		from, n = append(from, p), n+len(p.keep)
		parts = append(parts, p)
	}
	mean := c.meanFor(n, parts)
	c.mu.Unlock()
	var made *segment
	if n > 0 {
		made = c.make(mean, parts)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	defer runtime.KeepAlive(s)
	c.replace(from, made)
	return true
}

// replace puts the merged segment in the place of those it came from. What died meanwhile is dead in it.
func (c *collection) replace(from []*segmentPart, made *segment) {
	d := c.draft()
	var dead *graves
	base, at := 0, -1
	for _, p := range from {
		i := slices.IndexFunc(d.segments, func(v segmentView) bool { return v.segment == p.segment })
		now := d.segments[i].dead
		if at < 0 {
			at = i
		}
		for k, doc := range p.keep {
			if now.has(int(doc)) {
				dead = dead.with(made.n, base+k, true) // nobody else has it yet
			}
		}
		base += len(p.keep)
	}
	d.segments = slices.DeleteFunc(d.segments, func(v segmentView) bool {
		return slices.ContainsFunc(from, func(p *segmentPart) bool { return p.segment == v.segment })
	})
	if made != nil {
		d.segments = slices.Insert(d.segments, min(at, len(d.segments)), segmentView{made, dead})
	}
	c.current.Store(&d.snapshot)
	if c.files != nil {
		c.merged(from)
	}
}
