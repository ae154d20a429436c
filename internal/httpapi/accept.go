package httpapi

import (
	"mime"
	"strconv"
	"strings"
)

// preferred is the type that an Accept header likes best among those offered, the first of those that it likes as much; without any that it takes, the first offered (RFC 9110, section 12.5.1,
// which leaves the server free to answer so).
func preferred(accept string, offered ...string) string {
	best, bestQuality := offered[0], 0.0
	for _, o := range offered {
		if q := quality(accept, o); q > bestQuality {
			best, bestQuality = o, q
		}
	}
	return best
}

// quality is what the most exact range that fits gives a type, 0 to 1; 1 for every type without a header.
func quality(accept, kind string) float64 {
	if strings.TrimSpace(accept) == "" {
		return 1
	}
	family, _, _ := strings.Cut(kind, "/")
	q, exactness := 0.0, 0
	for part := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		fits := map[string]int{"*/*": 1, family + "/*": 2, kind: 3}[media]
		if fits <= exactness {
			continue
		}
		exactness, q = fits, 1
		if raw, ok := params["q"]; ok {
			if v, err := strconv.ParseFloat(raw, 64); err == nil && v >= 0 && v <= 1 {
				q = v
			}
		}
	}
	return q
}
