package replicator

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// watch reads the target after every request with a delete: an item with a target key after
// each of its changes must never be missing, not even between two requests.
type watch struct {
	world *world
	db    *memorydb.DB

	mu       sync.Mutex
	staying  map[int]bool   // the owners of the items that must not be missing now
	owner    map[string]int // by item
	vanished []string
}

// Do sends a request to the table.
func (v *watch) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	response, err := v.db.Do(r)
	if bytes.Contains(body, []byte(`"DeleteRequest"`)) ||
		strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DeleteItem") {
		v.look()
	}
	return response, err
}

func (v *watch) look() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.staying) == 0 {
		return
	}
	owners := v.owners()
	for owner := range v.staying {
		if !owners[owner] {
			v.vanished = append(v.vanished, fmt.Sprintf("the target item of {%s} is missing although it only moved",
				v.world.ids[owner]))
			delete(v.staying, owner)
		}
	}
}

// invocation notes which items must not be missing while payload is applied. It returns a
// function that ends that.
func (v *watch) invocation(payload []byte) (end func()) {
	if v.world.spec.Targets[0].OnKeyCollision != "" {
		return func() {} // there, another owner may have replaced the item
	}
	stays := map[int]bool{} // owner -> it has a target item after every change
	for rest := payload; ; {
		_, found, ok := bytes.Cut(rest, []byte(`"SequenceNumber":"`))
		if !ok {
			break
		}
		number, more, _ := bytes.Cut(found, []byte(`"`))
		change := v.world.changes[string(number)]
		if known, seen := stays[change.owner]; !seen || known {
			stays[change.owner] = change.mapped
		}
		rest = more
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	owners := v.owners()
	for owner, stay := range stays {
		if stay && owners[owner] {
			v.staying[owner] = true
		}
	}
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		for owner := range stays {
			delete(v.staying, owner)
		}
	}
}

// owners returns the owners of the target's items.
func (v *watch) owners() map[int]bool {
	owners := map[int]bool{}
	for _, item := range v.db.Items("target") {
		owner, known := v.owner[item]
		if !known {
			owner = slices.IndexFunc(v.world.ids, func(members string) bool { return has(item, members) })
			v.owner[item] = owner
		}
		owners[owner] = true
	}
	return owners
}

// has reports whether a canonical item has the source key members.
func has(item, members string) bool {
	for member := range strings.SplitSeq(members, `,"since"`) {
		if member[0] == ':' {
			member = `"since"` + member
		}
		if !strings.Contains(item, member) {
			return false
		}
	}
	return true
}
