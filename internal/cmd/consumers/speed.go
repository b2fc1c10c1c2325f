package main

import (
	"fmt"
	"slices"
	"time"
)

// Goals for one table, as multiples of the app that cdk init makes.
const (
	wallGoal = 1.25
	cpuGoal  = 1.35
)

// rounds is the number of warm runs of each app.
const rounds = 7

// printSpeed compares a warm cdk synth of the README's app with that of the blank one.
// The runs are interleaved, so that what else the machine does meets both. Missing a
// goal fails nothing: this machine is not a quiet one.
func (l *lab) printSpeed() error {
	blank, table := l.app("blank/users"), l.app("base/users")
	var walls, cpus []float64
	var lastBlank, lastTable usage
	for i := range rounds + 1 {
		var err error
		if lastBlank, err = blank.synth(); err != nil {
			return err
		}
		if lastTable, err = table.synth(); err != nil {
			return err
		}
		// The first round warms the caches up.
		if i > 0 {
			walls = append(walls, ratio(lastTable.wall, lastBlank.wall))
			cpus = append(cpus, ratio(lastTable.cpu, lastBlank.cpu))
		}
	}

	fmt.Printf("speed: a table takes %.2f times the blank app's time (goal %.2f) and %.2f times its CPU (goal %.2f)\n",
		median(walls), wallGoal, median(cpus), cpuGoal)
	fmt.Printf("       medians of %d interleaved pairs; the last pair: %.1f s and %.1f s, CPU %.1f s and %.1f s\n",
		rounds, lastTable.wall.Seconds(), lastBlank.wall.Seconds(), lastTable.cpu.Seconds(), lastBlank.cpu.Seconds())

	return nil
}

func ratio(a, b time.Duration) float64 { return a.Seconds() / b.Seconds() }

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
