package reconciler

import "testing"

func TestOnlyPagesKeepTheMemoryOfPages(t *testing.T) {
	var e exchanges
	page := e.getPage()
	page.body.Answer = make([]byte, 0, 1<<20)
	e.put(page)
	if other := e.get(); cap(other.body.Answer) > 0 {
		t.Error("another request grows to the size of a page")
	}
	if e.getPage() != page {
		t.Error("the memory of a page is not used again")
	}
	page.body.Answer = make([]byte, 0, maxKeptAnswer+1)
	e.put(page)
	if e.getPage() == page {
		t.Error("a huge answer is kept")
	}
}
