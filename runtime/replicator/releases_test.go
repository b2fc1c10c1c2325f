package replicator

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// earlierRelease is the client of a process with a release before 0.5.0: it sends no
// statements, and its versions have no fingerprints. The conditions are the same.
type earlierRelease struct{ inner faults.Client }

func (c earlierRelease) Do(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".BatchExecuteStatement") {
		return refusalAnswer(r, "AccessDeniedException"), nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	body = []byte(withoutFingerprint(string(body)))
	r = r.WithContext(r.Context()) // a copy
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))

	return c.inner.Do(r)
}

// fingerprints match those in items and in requests, with what surrounds them.
var fingerprints = regexp.MustCompile(fmt.Sprintf(
	`"names":\{"S":"[\w-]{%d}"\},|,"names":\{"S":"[\w-]{%[1]d}"\}|/[\w-]{%[1]d}"\}`, mapping.FingerprintLength))

// withoutFingerprint returns an item as releases without fingerprints write it.
func withoutFingerprint(item string) string {
	return fingerprints.ReplaceAllStringFunc(item, func(match string) string {
		if match[0] == '/' {
			return `"}`
		}
		return ""
	})
}

// lowestSeq is older than every change of a stream: the version of an item that was in the
// target before the stream.
var lowestSeq = "0/" + strings.Repeat("0", mapping.MaxSequenceNumberDigits)

// lowest matches the lowest versions in canonical items without fingerprints.
var lowest = regexp.MustCompile(fmt.Sprintf(`,?%q:(\{"M":\{"at":\{"N":"0"\},"seq":)?\{"S":%q\}(\}\})?`,
	spec.DefaultVersionAttribute, lowestSeq))

// normalized returns a canonical item without its fingerprint and without the lowest version.
func normalized(item string) string {
	item = withoutFingerprint(item)
	if !lowest.MatchString(item) {
		return item
	}
	item = strings.Replace(lowest.ReplaceAllString(item, ""), "{,", "{", 1)
	canonical, err := memorydb.Canonical([]byte(item))
	if err != nil {
		panic(fmt.Sprint(err, item))
	}
	return canonical
}
