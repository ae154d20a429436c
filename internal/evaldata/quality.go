package evaldata

import (
	"strings"
	"testing"
)

// Quality is said first by a test that only measures how good something is: nothing in it runs beside anything else, so the race detector has nothing to find and makes it take several times as long. Under it the test is skipped;
// `make test` runs it apart, by its name, which begins with TestQuality_.
func Quality(t *testing.T) {
	t.Helper()
	if !strings.HasPrefix(t.Name(), "TestQuality_") {
		t.Fatal("the name of a test of quality begins with TestQuality_, or make test does not run it")
	}
	if race {
		t.Skip("a test of quality, which make test runs without the race detector")
	}
}
