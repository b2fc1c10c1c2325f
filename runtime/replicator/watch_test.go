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

// watch reads the targets after every request with a delete: an item with a target key
// after each of its changes must never be missing, not even between two requests.
type watch struct {
	world *world
	db    *memorydb.DB
	guard *guardWatch

	mu       sync.Mutex
	staying  map[place]bool // the items that must not be missing now
	owner    map[string]int // by item
	vanished []string
}

// place is the target item of a source item in one target.
type place struct {
	table string
	owner int
}

// Do sends a request to the table.
func (v *watch) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	response, err := v.guard.Do(r)
	if bytes.Contains(body, []byte(`"DeleteRequest"`)) || bytes.Contains(body, []byte(`"DELETE FROM `)) ||
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
	places := v.places()
	for p := range v.staying {
		if !places[p] {
			v.vanished = append(v.vanished, fmt.Sprintf("%s: the item of {%s} is missing although it only moved",
				p.table, v.world.ids[p.owner]))
			delete(v.staying, p)
		}
	}
}

// invocation notes which items must not be missing while payload is applied, in all tables
// but the one that is left out. It returns a function that ends that.
func (v *watch) invocation(payload []byte, leftOut string) (end func()) {
	stays := map[place]bool{} // it has a target item after every change
	for rest := payload; ; {
		_, found, ok := bytes.Cut(rest, []byte(`"SequenceNumber":"`))
		if !ok {
			break
		}
		number, more, _ := bytes.Cut(found, []byte(`"`))
		for _, o := range v.world.oracles {
			if o.target.OnKeyCollision != "" || o.target.TableName == leftOut {
				continue // in the one case, another owner may have replaced the item
			}
			change := o.changes[string(number)]
			p := place{o.target.TableName, change.owner}
			if known, seen := stays[p]; !seen || known {
				stays[p] = change.mapped
			}
		}
		rest = more
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	places := v.places()
	for p, stay := range stays {
		if stay && places[p] {
			v.staying[p] = true
		}
	}
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		for p := range stays {
			delete(v.staying, p)
		}
	}
}

// places returns which source items have a target item, and where.
func (v *watch) places() map[place]bool {
	places := map[place]bool{}
	for _, o := range v.world.oracles {
		if o.target.OnKeyCollision != "" {
			continue
		}
		for _, item := range v.db.Items(o.target.TableName) {
			owner, known := v.owner[item]
			if !known {
				owner = slices.IndexFunc(v.world.ids, func(members string) bool { return has(item, members) })
				v.owner[item] = owner
			}
			places[place{o.target.TableName, owner}] = true
		}
	}
	return places
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
