package main

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

func TestAMillionItemsOfOneKilobyte(t *testing.T) {
	const items = 1_000_000
	source := table{items: items, bytes: items << 10}
	empty, full := table{}, table{items: items, bytes: items << 10}
	for _, c := range []struct {
		name          string
		operation     reconciler.Operation
		target        table
		limits        settings
		write, read   float64
		dollars, time float64
	}{
		{"a new target: a write for each item, and two scans", reconciler.Backfill, empty,
			settings{}, 1e6, 0.5e6, 0.69, 0.05},
		{"a limit decides how long it takes", reconciler.Backfill, empty,
			settings{writeUnits: 2000}, 1e6, 0.5e6, 0.69, 8.33},
		{"what is there is read after its put was refused", reconciler.Backfill, full,
			settings{}, 1e6, 1.5e6, 0.81, 0.07},
		{"verify scans both tables, and reads each item of both by its key", reconciler.Verify, full,
			settings{}, 0, 2.5e6, 0.31, 0.03},
		{"a limit of reads is one of each table", reconciler.Verify, full,
			settings{readUnits: 1000}, 0, 2.5e6, 0.31, 20.83},
		{"repair reads like verify, and writes all in transactions if all differs", reconciler.Repair, full,
			settings{}, 4e6, 2.5e6, 2.81, 0.03},
		{"a dry run writes nothing", reconciler.Repair, full,
			settings{dryRun: true}, 0, 2.5e6, 0.31, 0.03},
		{"repair may have to delete what has no source item", reconciler.Repair,
			table{items: 2 * items, bytes: 2 * items << 10}, settings{}, 8e6, 3.75e6, 5.47, 0.04},
	} {
		e := newEstimate(c.operation, source, []table{c.target}, 8, c.limits)
		for _, n := range [][2]float64{{e.WriteUnits, c.write}, {e.ReadUnits, c.read},
			{math.Round(e.Dollars*100) / 100, c.dollars}, {math.Round(e.Minutes*100) / 100, c.time}} {
			if n[0] != n[1] {
				t.Errorf("%s: %v, want %v in %+v", c.name, n[0], n[1], e)
			}
		}
	}
}

func TestTheEstimateSaysWhatItsFigureHolds(t *testing.T) {
	const items = 1_000_000
	full := table{items: items, bytes: items << 10}
	for _, c := range []struct {
		name      string
		operation reconciler.Operation
		dryRun    bool
		want      []string
	}{
		{"a backfill's transactions are not in it", reconciler.Backfill, false, []string{
			"at most 2,000,000 write units for puts and about 2,500,000 read units: 1.56 $",
			"besides, for each item that changes meanwhile or differs from what is there, 6 write units of the source"}},
		{"verify does not write", reconciler.Verify, false, []string{
			"about 4,750,000 read units and no write units: 0.59 $"}},
		{"repair's reads are certain, and its writes are not", reconciler.Repair, false, []string{
			"about 4,750,000 read units, and for each item that differs 6 write units of the source and target tables: " +
				"0.59 $ if none does, about 4.34 $ if all do"}},
		{"nor does a dry run", reconciler.Repair, true, []string{"and no write units: 0.59 $"}},
	} {
		e := newEstimate(c.operation, full, []table{full, full}, 8, settings{dryRun: c.dryRun})
		for _, want := range c.want {
			if !strings.Contains(e.String(), want) {
				t.Errorf("%s: want %q in\n%s", c.name, want, e)
			}
		}
	}
}

func TestAPersonIsAskedBeforeACostlyRun(t *testing.T) {
	for _, c := range []struct {
		name     string
		dollars  float64
		terminal bool
		yes      bool
		answer   string
		asks     bool
		begins   bool
	}{
		{name: "yes", dollars: 2, terminal: true, answer: "y\n", asks: true, begins: true},
		{name: "no", dollars: 2, terminal: true, answer: "n\n", asks: true},
		{name: "nothing", dollars: 2, terminal: true, answer: "\n", asks: true},
		{name: "the end of the input", dollars: 2, terminal: true, asks: true},
		{name: "-yes", dollars: 2, terminal: true, yes: true, begins: true},
		{name: "nobody is there", dollars: 2, begins: true},
		{name: "less than a dollar", dollars: 0.99, terminal: true, begins: true},
	} {
		var stdout, stderr bytes.Buffer
		command := &command{name: "backfill", stdin: strings.NewReader(c.answer), stdout: &stdout, stderr: &stderr,
			terminal: c.terminal, flags: settings{yes: c.yes}}
		err := command.announce(&deployment{spec: usersSpec("ask")}, estimate{Dollars: c.dollars})
		if (err == nil) != c.begins || (stderr.Len() > 0) != c.asks {
			t.Errorf("%s: %v after %q", c.name, err, stderr.String())
		}
	}
}
