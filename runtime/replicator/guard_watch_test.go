package replicator

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
	"github.com/replicatedtable/cdk-go/internal/test/partiql"
)

// guardWatch compares every guarded write with what a conditional put would have left: each
// one that the table carries out must have been allowed by the item that was there, and leave
// exactly the new item.
type guardWatch struct {
	world *world
	db    store

	mu         sync.Mutex
	violations []string
	// checked counts the writes that were carried out and checked, by how they were sent.
	checked map[partiql.Kind]int
	// replaced are the places where a reconciler has replaced another owner's item, filled those
	// where it has put one, and left those that a message of the failure queue names as left.
	replaced, filled, left map[string]bool
}

// store is the tables: in memory or of DynamoDB Local. Item returns an item in canonical form.
type store interface {
	Do(r *http.Request) (*http.Response, error)
	Item(table string, key []byte) string
}

// jsonItem is an item, its values as JSON.
type jsonItem = map[string]json.RawMessage

// guardedWrite is a write of a request. The seq of a delete is that of its change.
type guardedWrite struct {
	target spec.Target
	kind   partiql.Kind // "" for a PutItem
	put    jsonItem     // nil: delete
	key    []byte
	owner  jsonItem
	seq    string
	before string // the stored item
}

func (g *guardWatch) violate(format string, args ...any) {
	g.violations = append(g.violations, fmt.Sprintf(format, args...))
}

// Do sends a request to the table, and checks its writes. Nothing is written meanwhile.
func (g *guardWatch) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	g.mu.Lock()
	defer g.mu.Unlock()
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	writes := g.writes(operation, body)
	response, err := g.db.Do(r)
	if err != nil || len(writes) == 0 {
		return response, err
	}

	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	if response.StatusCode != http.StatusOK {
		if operation == "BatchExecuteStatement" {
			g.violate("the table refuses a call with statements: %.300s", answer)
		}
		return response, nil
	}
	var answered struct {
		Responses []struct{ Error *struct{ Code string } }
	}
	if err := json.Unmarshal(answer, &answered); err != nil {
		return nil, err
	}
	if operation == "TransactWriteItems" {
		g.checkTransaction(writes)
		return response, nil
	}
	for i, w := range writes {
		if operation == "PutItem" || answered.Responses[i].Error == nil {
			g.checked[w.kind]++
			g.check(w)
			if fromReconciler(r) {
				g.filled[w.place()] = true
				g.checkReconciledVersion(w)
			}
		}
	}

	return response, nil
}

// writes returns the guarded writes of a request.
func (g *guardWatch) writes(operation string, body []byte) []guardedWrite {
	var input struct {
		TableName  string
		Item       jsonItem
		Statements []struct {
			Statement  string
			Parameters []json.RawMessage
		}
	}
	if operation == "TransactWriteItems" {
		return g.transactionWrites(body)
	}
	if operation != "PutItem" && operation != "BatchExecuteStatement" {
		return nil
	}
	if err := json.Unmarshal(body, &input); err != nil {
		panic(err)
	}
	if operation == "PutItem" && g.isSource(input.TableName) {
		return nil
	}
	if operation == "PutItem" {
		return []guardedWrite{g.write(input.TableName, input.Item, input.Item)}
	}

	var writes []guardedWrite
	for _, s := range input.Statements {
		parsed, err := partiql.Parse(s.Statement)
		if err != nil {
			panic(err)
		}
		known := jsonItem{} // the attributes that the statement names
		for _, term := range parsed.Where {
			if a := term[0]; len(term) == 1 && a.Operator == partiql.Equal {
				known[a.Path[0]] = s.Parameters[a.Parameter]
			}
		}
		put := jsonItem{}
		for i, name := range parsed.Set {
			put[name] = s.Parameters[i]
		}
		maps.Copy(put, known)
		if parsed.Kind == partiql.Delete {
			put = nil
		}
		w := g.write(parsed.Table, put, cmpOr(put, known))
		w.kind = parsed.Kind
		if put == nil {
			w.seq = text(s.Parameters[len(s.Parameters)-1])
		}
		writes = append(writes, w)
	}

	return writes
}

// fromReconciler reports whether a reconciler of the model has sent a request.
func fromReconciler(r *http.Request) bool { return r.Header.Get(reconcilerHeader) != "" }

const reconcilerHeader = "X-Model-Reconciler"

// transactionWrites returns the puts and deletes of a transaction.
func (g *guardWatch) transactionWrites(body []byte) []guardedWrite {
	type action *struct {
		TableName string
		Item, Key jsonItem
	}
	var input struct {
		TransactItems []struct{ Put, Delete action }
	}
	if err := json.Unmarshal(body, &input); err != nil {
		panic(err)
	}
	var writes []guardedWrite
	for _, a := range input.TransactItems {
		if a.Put != nil && !g.isSource(a.Put.TableName) {
			writes = append(writes, g.write(a.Put.TableName, a.Put.Item, a.Put.Item))
		}
		if a.Delete != nil && !g.isSource(a.Delete.TableName) {
			writes = append(writes, g.write(a.Delete.TableName, nil, a.Delete.Key))
		}
	}

	return writes
}

// checkTransaction checks what a reconciler's transaction leaves, and notes the keys where it has
// replaced another owner's item.
func (g *guardWatch) checkTransaction(writes []guardedWrite) {
	for _, w := range writes {
		place := w.place()
		if w.put == nil {
			if w.before != "" && w.target.ExpiredItems == spec.KeepExpired && !g.hasSource(w.before) &&
				!g.filled[place] && !g.left[place] {
				g.violate("R5: a reconciler deletes an item that may be a kept one: %s", w.before)
			}
			continue
		}
		g.filled[place] = true
		g.checkFingerprint(w.target, g.db.Item(w.target.TableName, w.key))
		if w.before != "" && !g.isOwn(w) {
			g.replaced[place] = true
		}
		g.checkReconciledVersion(w)
	}
}

// checkReconciledVersion checks R4 for a put of a reconciler.
func (g *guardWatch) checkReconciledVersion(w guardedWrite) {
	if w.target.VersionAttribute == "" {
		return
	}
	at, seq := 0.0, lowestSeq
	if w.before != "" {
		var stored jsonItem
		if err := json.Unmarshal([]byte(w.before), &stored); err != nil {
			panic(err)
		}
		foundAt, foundSeq := version(stored[w.target.VersionAttribute])
		switch {
		case foundSeq == "":
		case g.isOwn(w):
			at, seq = foundAt, foundSeq
		default:
			at = foundAt + 1
		}
	}
	if gotAt, gotSeq := version(w.put[w.target.VersionAttribute]); gotAt != at || gotSeq != seq {
		g.violate("R4: %s: a reconciler puts the version %v %s, not %v %s, where there was %s",
			w.target.TableName, gotAt, gotSeq, at, seq, w.before)
	}
}

// place is the table and the key of a write.
func (w guardedWrite) place() string { return w.target.TableName + canonicalKey(w.key) }

// leave notes a target key that a source item has left.
func (g *guardWatch) leave(table string, key []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left[table+canonicalKey(key)] = true
}

// hasSource reports whether the owner of a target item is in the source table.
func (g *guardWatch) hasSource(item string) bool {
	var stored jsonItem
	if err := json.Unmarshal([]byte(item), &stored); err != nil {
		panic(err)
	}
	key := jsonItem{}
	for _, k := range g.world.spec.Source.Attributes() {
		key[k.Name] = stored[k.Name]
	}

	return g.db.Item(g.world.spec.Source.TableName, toJSON(key)) != ""
}

// isSource reports whether a request writes to the source table, which nothing may do but the
// application.
func (g *guardWatch) isSource(table string) bool {
	is := table == g.world.spec.Source.TableName
	if is {
		g.violate("R1: a request writes to the source table")
	}

	return is
}

func cmpOr(put, known jsonItem) jsonItem {
	if put != nil {
		return put
	}
	return known
}

// write returns the write of an item, nil for a delete, whose key and owner are in known.
func (g *guardWatch) write(table string, put, known jsonItem) guardedWrite {
	at := slices.IndexFunc(g.world.spec.Targets, func(t spec.Target) bool { return t.TableName == table })
	w := guardedWrite{target: g.world.spec.Targets[at], put: put, owner: known}
	key := jsonItem{}
	for _, k := range w.target.Attributes() {
		key[k.Name] = known[k.Name]
	}
	w.key = toJSON(key)
	w.before = g.db.Item(table, w.key)
	if put != nil {
		_, w.seq = version(put[w.target.VersionAttribute])
	}

	return w
}

// check checks a write that the table has carried out.
func (g *guardWatch) check(w guardedWrite) {
	if !g.allows(w) {
		g.violate("%s: a write replaces an item that it must not replace: %s by %s", w.target.TableName, w.before, toJSON(w.put))
	}
	after := g.db.Item(w.target.TableName, w.key)
	want := ""
	if w.put != nil {
		want = canonicalItem(w.put)
	}
	if after != want {
		g.violate("%s: a write does not leave what a put would:\n got %s\nwant %s", w.target.TableName, after, want)
	}
	g.checkFingerprint(w.target, after)
}

// allows reports whether a conditional put or delete would be carried out.
func (g *guardWatch) allows(w guardedWrite) bool {
	if w.before == "" {
		return true
	}
	var stored jsonItem
	if err := json.Unmarshal([]byte(w.before), &stored); err != nil {
		panic(err)
	}
	at, seq := version(stored[w.target.VersionAttribute])
	isOwn := g.isOwn(w)
	switch {
	case seq == "":
		return isOwn || w.put != nil
	case isOwn:
		return seq < w.seq
	case w.put == nil:
		return false
	default:
		newAt, _ := version(w.put[w.target.VersionAttribute])
		return at < newAt || at == newAt && seq < w.seq
	}
}

// isOwn reports whether the stored item has the owner of the write.
func (g *guardWatch) isOwn(w guardedWrite) bool {
	var stored jsonItem
	if err := json.Unmarshal([]byte(w.before), &stored); err != nil {
		panic(err)
	}
	for _, k := range g.world.spec.Source.Attributes() {
		own, found := w.owner[k.Name] // a key attribute that another one is derived from is unique
		if found && canonicalItem(jsonItem{"k": own}) != canonicalItem(jsonItem{"k": stored[k.Name]}) {
			return false
		}
	}

	return true
}

// checkFingerprint checks that an item's fingerprint, if it has one, is that of its names.
func (g *guardWatch) checkFingerprint(t spec.Target, item string) {
	if item == "" {
		return
	}
	var stored jsonItem
	if err := json.Unmarshal([]byte(item), &stored); err != nil {
		panic(err)
	}
	got := storedFingerprint(stored[t.VersionAttribute])
	if want := fingerprintOf(stored, t.VersionAttribute); got != "" && got != want {
		g.violate("%s: an item has the fingerprint %s, not %s: %s", t.TableName, got, want, item)
	}
}

// fingerprintOf is the fingerprint of an item's names without the version.
func fingerprintOf(item jsonItem, versionAttribute string) string {
	var text []byte
	for _, name := range slices.Sorted(maps.Keys(item)) {
		if name != versionAttribute {
			text = binary.BigEndian.AppendUint32(text, uint32(len(name)))
			text = append(text, name...)
		}
	}
	sum := sha256.Sum256(text)
	return base64.URLEncoding.EncodeToString(sum[:])[:mapping.FingerprintLength]
}

// storedVersion is a version as JSON.
type storedVersion struct {
	S string
	M struct {
		At         struct{ N string } `json:"at"`
		Seq, Names struct{ S string }
	}
}

func parseVersion(value json.RawMessage) (v storedVersion) {
	if value != nil {
		if err := json.Unmarshal(value, &v); err != nil {
			panic(err)
		}
	}
	return v
}

// version returns the time and the sequence part of a version, without its fingerprint.
func version(value json.RawMessage) (at float64, seq string) {
	v := parseVersion(value)
	if v.S == "" {
		at, _ = strconv.ParseFloat(v.M.At.N, 64) // none is 0
		return at, v.M.Seq.S
	}
	parts := strings.Split(v.S, "/")
	return 0, parts[0] + "/" + parts[1]
}

func storedFingerprint(value json.RawMessage) string {
	v := parseVersion(value)
	if parts := strings.Split(v.S, "/"); len(parts) == 3 {
		return parts[2]
	}
	return v.M.Names.S
}

func text(value json.RawMessage) string {
	var v struct{ S string }
	if err := json.Unmarshal(value, &v); err != nil {
		panic(err)
	}
	return v.S
}

func toJSON(item jsonItem) []byte {
	text, err := json.Marshal(item)
	if err != nil {
		panic(err)
	}
	return text
}

func canonicalItem(item jsonItem) string {
	canonical, err := memorydb.Canonical(toJSON(item))
	if err != nil {
		return err.Error() // no item can have it
	}
	return canonical
}

// putInitial puts the target items of the source items from before the stream: without a
// version, with one of an earlier release, or with the lowest one and a fingerprint, as a
// reconciler leaves it.
func (g *guardWatch) putInitial(t testing.TB) {
	t.Helper()
	for _, o := range g.world.oracles {
		for _, v := range o.items {
			if g.world.unfilled[v.owner] {
				continue
			}
			var item jsonItem
			if err := json.Unmarshal([]byte("{"+v.item+"}"), &item); err != nil {
				t.Fatal(err)
			}
			g.addVersion(o.target, item, v.owner)
			text := canonicalItem(item)
			g.checkFingerprint(o.target, text)
			putItem(t, g.db, o.target.TableName, text)
		}
	}
}

// addVersion adds a version to an item from before the stream, or none.
func (g *guardWatch) addVersion(t spec.Target, item jsonItem, owner int) {
	names := fingerprintOf(item, t.VersionAttribute)
	how := owner % 3
	switch {
	case t.VersionAttribute == "" || how == 0:
	case t.OnKeyCollision != "" && how == 1:
		item[t.VersionAttribute] = fmt.Appendf(nil, `{"M":{"at":{"N":"0"},"seq":{"S":%q}}}`, lowestSeq)
	case t.OnKeyCollision != "":
		item[t.VersionAttribute] = fmt.Appendf(nil, `{"M":{"at":{"N":"0"},"names":{"S":%q},"seq":{"S":%q}}}`, names, lowestSeq)
	case how == 1:
		item[t.VersionAttribute] = fmt.Appendf(nil, `{"S":%q}`, lowestSeq)
	default:
		item[t.VersionAttribute] = fmt.Appendf(nil, `{"S":%q}`, lowestSeq+"/"+names)
	}
}

func putItem(t testing.TB, db store, table, item string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://memory/",
		strings.NewReader(fmt.Sprintf(`{"TableName":%q,"Item":%s}`, table, item)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	response, err := db.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("put %s: %s", item, response.Status)
	}
}
