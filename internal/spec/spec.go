// Package spec is what the construct tells the function: the key schemas and the
// mapping of every target table.
//
// The construct encodes a [Spec] into one environment variable of the function. What is
// too long for that goes into a file, and the variable keeps the [Names]. The function
// loads the spec once at start. Both link this package, so it imports nothing outside
// the standard library.
//
// The JSON field names are the Go field names. So the path in a [Problem] is the same
// whether the spec was written by hand, by the construct, or read by the function.
package spec

import (
	"fmt"
	"log/slog"
)

// DefaultVersionAttribute is the attribute that LAST_WRITER_WINS adds to every target
// item. The colon keeps it apart from an application's own names, like DynamoDB's own
// "aws:rep:" attributes.
const DefaultVersionAttribute = "replicatedtable:version"

// Spec describes one source table and the target tables that follow it.
type Spec struct {
	// MappingVersion is the version of the rules that the mapping is written for. 0 is
	// version 1.
	MappingVersion int `json:",omitempty"`

	Source  Table
	Targets []Target
	// FailureQueueURL is the queue for records that can never be applied. At synthesis
	// it is a token.
	FailureQueueURL string
	// SetAsideSeconds is how long one target table may fail as a whole while others do
	// not, before it is set aside: from MinSetAsideSeconds to MaxSetAsideSeconds. 0 is
	// DefaultSetAsideSeconds.
	SetAsideSeconds int `json:",omitempty"`
	// LogLevel is the lowest level of the lines that the function logs. Empty is INFO.
	LogLevel LogLevel `json:",omitempty"`
	// Metrics is which metrics the function reports. Empty is BASIC.
	Metrics MetricsLevel `json:",omitempty"`
}

// LogLevel is a level of the function's log.
type LogLevel string

// The levels have the names that Lambda gives them too.
const (
	LogDebug LogLevel = "DEBUG"
	LogInfo  LogLevel = "INFO"
	LogWarn  LogLevel = "WARN"
	LogError LogLevel = "ERROR"
)

// Slog returns the level in terms of log/slog. A function keeps to it itself: where Lambda
// filters lines by their level, it also drops lines that are not log lines.
func (l LogLevel) Slog() slog.Level {
	switch l {
	case LogDebug:
		return slog.LevelDebug
	case "", LogInfo:
		return slog.LevelInfo
	case LogWarn:
		return slog.LevelWarn
	case LogError:
		return slog.LevelError
	default:
		panic(fmt.Sprintf("the level %q of a spec without problems", string(l)))
	}
}

// The range and the default of SetAsideSeconds. A target that fails for less than a minute is hardly
// noticed. The maximum leaves an hour until the event source mapping gives up on the
// records.
const (
	MinSetAsideSeconds     = 60
	MaxSetAsideSeconds     = 36_000
	DefaultSetAsideSeconds = 900
)

// Table is a table's name, at synthesis a token, and its primary key.
type Table struct {
	TableName string
	KeySchema
}

// Target describes one target table and the mapping that fills it.
type Target struct {
	Table
	// KeySources are the sources of target key attributes, by the attribute's name. A
	// key attribute without an entry is the source attribute of the same name.
	KeySources map[string]KeySource `json:",omitempty"`
	Projection Projection
	// Filter keeps the source items that meet it. Nil keeps all.
	Filter *Condition `json:",omitempty"`
	// OnKeyCollision is required when two source items could meet on one target key,
	// and refused when they cannot.
	OnKeyCollision OnKeyCollision `json:",omitempty"`
	// VersionAttribute is the attribute that carries an item's version. It is required
	// under LAST_WRITER_WINS; on a unique mapping it turns the version guard on.
	VersionAttribute string `json:",omitempty"`
	// ExpiredItems says what happens to the target item when time to live deletes the
	// source item. Empty deletes it, as any deletion does.
	ExpiredItems ExpiredItems `json:",omitempty"`
	// WriteBrakeDisabled sends refused items to the failure queue even when the table
	// refuses one after the other for a reason that does not lie in them.
	WriteBrakeDisabled bool `json:",omitempty"`
}

// OnKeyCollision says which of two source items with one target key is kept.
type OnKeyCollision string

// LastWriterWins keeps the item whose change is the newest.
const LastWriterWins OnKeyCollision = "LAST_WRITER_WINS"

// ExpiredItems says what a deletion by time to live does to the target item.
type ExpiredItems string

// KeepExpired leaves the target item of an expired source item in place.
const KeepExpired ExpiredItems = "KEEP"
