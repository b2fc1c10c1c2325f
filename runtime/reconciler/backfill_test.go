package reconciler

import (
	"fmt"
	"strings"
	"testing"
)

func TestABackfillPutsWhatIsMissing(t *testing.T) {
	for _, segments := range []int{1, 3} {
		h := start(t, unique(), Options{})
		var want []string
		for i := range 100 {
			pairs := []string{fmt.Sprint("id=", i), fmt.Sprint("city=", i%7), "note=" + strings.Repeat("n", 30_000)}
			h.put("source", pairs...)
			want = append(want, item(pairs...))
			if i%10 == 0 {
				h.put("target", pairs...)
			}
		}
		h.put("source", "id=none", "note=it has no city")
		h.put("source", "id=wrong", `city={"N":"1"}`)

		c := h.run(Backfill, segments)
		h.want("target", want...)
		if c.Put != 90 || c.There != 10 || c.Read != 102 || c.Filtered != 1 || c.Unmappable != 1 || c.Changed != 0 {
			t.Errorf("%+v", c)
		}
		if c.Pages < 3 || c.TargetWriteUnits < 2_700 || c.SourceReadUnits < 1_000 || c.SourceWriteUnits != 0 {
			t.Errorf("%+v", c)
		}
		if c := h.run(Backfill, segments); c.Put != 0 || c.There != 100 {
			t.Errorf("the second time: %+v", c)
		}
		if c := h.run(Verify, segments); c.Equal != 100 || c.Differences(true) != 0 || c.Unmappable != 1 {
			t.Errorf("verify: %+v", c)
		}
	}
}
