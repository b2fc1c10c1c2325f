package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// verdict says how a situation ended.
type verdict string

const (
	passes      verdict = "passes"
	refuses     verdict = "our error"
	cdkRefuses  verdict = "CDK's error"
	fails       verdict = "FAILS"
	unavailable verdict = "not run"
)

// result is one line of the report.
type result struct {
	situation
	verdict verdict
	took    usage
	// hashes are the beginnings of the assets' hashes.
	hashes string
	// detail is the reason why the situation failed or was not run.
	detail string
}

// try makes a situation in a folder of its own, synthesizes, and judges.
func (l *lab) try(s situation) result {
	folder := s.folder
	if folder == "" {
		folder = "users"
	}
	r := result{situation: s}
	// No two situations share a folder: an absolute path in a function would stay unseen.
	scratch, err := os.MkdirTemp(l.work, "situation-")
	if err != nil {
		return result{situation: s, verdict: fails, detail: err.Error()}
	}
	a := l.app(filepath.Base(scratch) + "/" + folder)
	a.out = filepath.Join(scratch, "cdk.out")

	err = a.make(s, scratch)
	if err == nil {
		err = a.judge(s, &r)
	}
	r.verdict = s.verdict(err)
	if r.verdict == unavailable || r.verdict == fails {
		if err == nil {
			err = errors.New("it was not refused")
		}
		r.detail = err.Error()
	}
	if err := removeAll(scratch); err != nil {
		return result{situation: s, verdict: fails, detail: err.Error()}
	}

	return r
}

// make makes the app of a situation.
func (a *app) make(s situation, scratch string) error {
	a.args = slices.Concat(s.args, s.app(a.lab))

	var err error
	if s.fresh {
		err = errors.Join(a.init(), a.followReadme())
	} else {
		err = a.copy(filepath.Join(a.work, "base", "users"))
	}
	if err == nil && s.prepare != nil {
		err = s.prepare(a)
	}
	if err == nil && s.programs != nil {
		err = a.onlyOnPath(s.programs...)
	}
	for _, variable := range s.env {
		a.env = append(a.env, strings.ReplaceAll(variable, "{}", scratch))
	}

	return err
}

// app are the arguments of cdk synth that name the app.
func (s situation) app(l *lab) []string {
	switch {
	case s.command != "":
		return []string{"--app", s.command}
	case s.shape != "":
		return []string{"--app", l.binary("shapes"), "--context", "shape=" + s.shape}
	case s.binary != "":
		return []string{"--app", l.binary(s.binary)}
	default:
		return nil
	}
}

// judge synthesizes and returns what is wrong.
func (a *app) judge(s situation, r *result) error {
	var err error
	if s.programs != nil && !slices.Contains(s.programs, "node") {
		r.took, err = a.synthWithout(s.binary)
	} else {
		r.took, err = a.synth()
	}
	if err != nil {
		return err
	}

	got, err := readAssembly(a.out)
	if err != nil {
		return err
	}
	var beginnings []string
	for _, hash := range slices.Sorted(maps.Values(got.functions)) {
		beginnings = append(beginnings, fmt.Sprintf("%.8s", hash))
	}
	r.hashes = strings.Join(beginnings, " ")
	if err := errors.Join(s.accept(got), a.compare(s, got)); err != nil || s.check == nil {
		return err
	}

	return s.check(a)
}

// verdict reads the end of a situation.
func (s situation) verdict(err error) verdict {
	var missing unavailableError
	switch {
	case errors.As(err, &missing):
		return unavailable
	case err == nil && s.expected() == passes:
		return passes
	case err != nil && s.expected() != passes && strings.Contains(err.Error(), s.refusal+s.refusalOfCDK):
		return s.expected()
	default:
		return fails
	}
}

// expected is the verdict on a situation if all is well.
func (s situation) expected() verdict {
	switch {
	case s.refusal != "":
		return refuses
	case s.refusalOfCDK != "":
		return cdkRefuses
	default:
		return passes
	}
}

// print prints the line of a result, and its detail below it.
func (r result) print() {
	fmt.Printf("%-11s %6.1f s  %-17s  %-27s  %s\n", r.verdict, r.took.wall.Seconds(), r.hashes, r.name, r.why)
	if r.detail != "" {
		fmt.Println("    " + strings.ReplaceAll(tail(r.detail), "\n", "\n    "))
	}
}

// tail returns the last lines of an output.
func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-25):], "\n")
}
