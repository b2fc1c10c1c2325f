package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// item is one item as the demo shows it: strings and booleans by value, the rest by type.
type item map[string]string

// scan reads a whole table, consistently.
func scan(ctx context.Context, client *dynamodb.Client, table string) ([]item, error) {
	var items []item
	consistent := true
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table, ConsistentRead: &consistent})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read table %s: %w", table, err)
		}
		for _, attributes := range page.Items {
			items = append(items, newItem(attributes))
		}
	}
	return items, nil
}

func newItem(attributes map[string]types.AttributeValue) item {
	i := item{}
	for name, value := range attributes {
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			i[name] = v.Value
		case *types.AttributeValueMemberBOOL:
			i[name] = strconv.FormatBool(v.Value)
		default:
			i[name] = "(" + strings.TrimPrefix(fmt.Sprintf("%T", value), "*types.AttributeValueMember") + ")"
		}
	}
	return i
}

// listing is one table as it is printed.
type listing struct {
	title string
	// columns come first, in this order; other attributes follow by name.
	columns []string
	// hidden attributes are not shown.
	hidden []string
	items  []item
}

func (l listing) print(out io.Writer) {
	for _, line := range l.lines() {
		fmt.Fprintln(out, "  "+line)
	}
}

// lines are the title, the header, and one line per item, ordered by the first columns.
func (l listing) lines() []string {
	others := map[string]bool{}
	for _, i := range l.items {
		for name := range i {
			if !slices.Contains(l.columns, name) && !slices.Contains(l.hidden, name) {
				others[name] = true
			}
		}
	}
	columns := slices.Concat(l.columns, slices.Sorted(maps.Keys(others)))
	rows := slices.SortedFunc(slices.Values(l.items), func(a, b item) int {
		for _, c := range columns {
			if order := cmp.Compare(a[c], b[c]); order != 0 {
				return order
			}
		}
		return 0
	})

	widths := make([]int, len(columns))
	for n, c := range columns {
		widths[n] = utf8.RuneCountInString(c)
		for _, i := range rows {
			widths[n] = max(widths[n], utf8.RuneCountInString(i[c]))
		}
	}
	line := func(cell func(column string) string) string {
		var b strings.Builder
		for n, c := range columns {
			fmt.Fprintf(&b, "%-*s  ", widths[n], cell(c))
		}
		return strings.TrimRight(b.String(), " ")
	}
	lines := []string{
		fmt.Sprintf("%s (%d items)", l.title, len(l.items)),
		line(func(c string) string { return c }),
		line(func(c string) string { return strings.Repeat("-", utf8.RuneCountInString(c)) }),
	}
	for _, i := range rows {
		lines = append(lines, line(func(c string) string { return i[c] }))
	}
	return lines
}
