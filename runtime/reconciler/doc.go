// Package reconciler makes target tables right for a source table that already has items, and
// shows that they are. A stream carries only what changes from now on: a [Reconciler] fills a
// target with the rest, compares both tables, and mends differences.
//
// All of it may run while applications write to the source table and the replicator follows the
// stream. It may be killed at any point. It never writes to the source table.
//
// # The primitive
//
// [Reconciler.Reconcile] makes the targets right for one source item. It reads the source item
// consistently, maps it, and reads what each target has under the key that it maps to and under
// those keys that may hold something of it besides. What is missing is put, and what is left over is
// deleted, in a transaction that also checks the source table: the item is still there, or still is
// not, and what its key and its filter are derived from is as it was read. A condition cannot name
// all attributes of a large item, and cannot see one that was added. So the source item is read
// once more afterwards. Whenever something has changed, all of it is repeated.
//
// A put replaces only what was read: nothing, or an item of the same owner with the same version. An
// item of another owner is replaced where keys can collide and its own source item no longer maps
// there, which the transaction checks too. Otherwise it stays.
//
// # Versions
//
// Where items carry versions, an item that is put where there was none has the lowest one: every
// change from the stream is newer. An item that is put over an older state keeps the version found,
// with its own fingerprint. One that replaces another owner's has the time found plus a second
// and the lowest sequence number: the changes that the other item had up to the version found lose,
// and every later change of the new owner wins.
//
// # Passes
//
//	Backfill   scans the source table, and puts what is missing
//	Verify     scans the source table, then each target table, and compares
//	Repair     is Verify, and hands every difference to the primitive
//
// The caller divides a pass into segments, and calls [Reconciler.Page] for each until it is done.
// A [Segment] can be stored between two pages.
//
// A transaction for each item would cost write units of the source table, and its check could make
// an application's own write fail. So a backfill puts the items of a page with INSERT statements, 25 a
// request, which leave alone what is there. What it has read may be old by then: the item may have moved, and
// the replicator deleted what was not there yet. So it reads the page again, and hands the items that
// differ to the primitive, with the keys that it has put. A page that was interrupted between
// the put and the second look may leave an item that nothing deletes any more. So Begun is
// saved before the first put; after an interruption the passes over the target tables find such items.
//
// The scan of the source finds target items that are missing, stale or of a wrong owner; the scan of a
// target finds those that no source item maps to. The first look is eventually consistent and the
// stream may be behind, so a difference is read again consistently, after 1, 2, 4 … seconds, until it is
// gone or the grace time is over. Meanwhile more pages are scanned.
//
// # The files, in reading order
//
//	reconciler.go, pass.go, counts.go, finding.go   what a caller says and learns
//	page.go, scan.go                                one page of a segment
//	backfill.go, put_absent.go, write.go            put what is missing, and look again
//	forward.go, reverse.go, difference.go           compare, wait, conclude
//	reconcile.go, effort.go, duty.go                the primitive: its story, what it decides
//	transaction.go, condition.go                    … and how it writes
//	key.go, owner.go, version.go                    what an item says about itself
//	lookup.go                                       keys → items
//	send.go, answer.go, exchange.go, limiter.go     requests → answers, at a rate
//
// # Limits
//
//   - What a third party changes in a target table stays until a repair.
//   - A write whose answer was lost may be carried out up to 15 minutes later, above all one of a process
//     that has crashed. Verify again then.
//   - An item that changes hundreds of times a second may change within every attempt of the primitive:
//     then the stream, which has all of its changes, makes it right, and the attempts go on until then.
//   - Under LAST_WRITER_WINS the source table does not tell which of several source items with one key
//     was written last: a reconciled key may belong to any of them. The next change of another one
//     takes it.
//   - Where expired items are kept, a target item that no source item maps to may be one: it is
//     counted and never deleted by a pass, also when the source item has come back under another
//     target key. An item that a backfill puts while its source item is deleted looks the same, and so
//     does one that a killed backfill has put and whose source item has moved meanwhile.
//   - An item of a target that lacks a key attribute of the source table has no owner. It is a difference
//     that no repair mends.
//   - Where a target item names a wrong owner, both scans count it: as of a wrong owner, and as extra.
//   - Conflicts with live writers, throttling by a real table, and what a role lacks show only on AWS.
//
// # Rights
//
// Verify: Scan and BatchGetItem on both tables. The other operations need ConditionCheckItem on the source
// table, and PutItem, DeleteItem and PartiQLInsert on the target tables. Without the last one each item is
// put by a request of its own.
package reconciler
