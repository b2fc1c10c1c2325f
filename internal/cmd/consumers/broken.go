package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// broken is a fault in the library that some situations must notice, with this message.
// The others named still pass with it.
type broken struct {
	name, why string
	// before in file is replaced with after.
	file, before, after string
	fails, passes       []string
	message             string
}

var faults = []broken{
	{
		name: "a dependency that go mod tidy does not see", why: "the app's go.sum lacks the function's modules",
		file: "replicatedtable/asset.go",
		before: "\t_ \"" + modulePath + "/runtime/reconciler\"\n" +
			"\t_ \"" + modulePath + "/runtime/replicator\"\n",
		fails: []string{"fresh app", "vendored", "prebuilt app"}, passes: []string{"outside of a module"},
		message: "the function cannot be built in the module",
	},
	{
		name: "an import that vendored apps lack", why: "the package is in the module cache only",
		file: "replicatedtable/asset.go", before: "\nfunc main() { %[1]s.Start() }",
		after:  "\nimport _ \"github.com/aws/aws-lambda-go/events\"\n\nfunc main() { %[1]s.Start() }",
		passes: []string{"prebuilt app", "spaces"}, fails: []string{"vendored", "vendored, no cache or proxy"},
		message: "import lookup disabled by -mod=vendor",
	},
	{
		name: "an absolute path in the function", why: "its hash depends on the folder",
		file: "replicatedtable/asset.go", before: "\"-trimpath ", after: "\"",
		// The first one has nothing to be compared with.
		passes: []string{"prebuilt app"}, fails: []string{"spaces", "odd characters"},
		message: "another function than before",
	},
	{
		name: "the caller's settings in the function", why: "its hash depends on the caller",
		file: "replicatedtable/asset.go", before: "\"GOARM64=v8.0\", ", after: "\"GOARM64=\"+os.Getenv(\"GOARM64\"), ",
		passes: []string{"spaces"}, fails: []string{"GOARM64 and others"},
		message: "another function than before",
	},
}

// try packs a broken copy of the repository and reports every situation that does not
// end as it should.
func (b broken) try(ctx context.Context, root, work string) (err error) {
	clone := filepath.Join(work, "repository")
	if err := b.breakCopy(ctx, root, clone); err != nil {
		return fmt.Errorf("breaking a copy: %w", err)
	}
	l, err := openLab(ctx, root, clone, work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()

	fmt.Printf("\nbroken: %s (%s)\n", b.name, b.why)
	var wrong []error
	for _, s := range situations {
		want := s.expected()
		if slices.Contains(b.fails, s.name) {
			want = fails
		} else if !slices.Contains(b.passes, s.name) {
			continue
		}
		r := l.try(s)
		if r.verdict != want || want == fails && !strings.Contains(r.detail, b.message) {
			wrong = append(wrong, fmt.Errorf("with %s, %s: %s, want %s\n%s",
				b.name, s.name, r.verdict, want, tail(r.detail)))
		}
		r.detail = "" // it is the fault's
		r.print()
	}

	return errors.Join(wrong...)
}

// breakCopy commits the fault to a clone of the repository.
func (b broken) breakCopy(ctx context.Context, root, clone string) error {
	if _, err := output(ctx, root, "git", "clone", "--quiet", root, clone); err != nil {
		return err
	}
	path := filepath.Join(clone, filepath.FromSlash(b.file))
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if strings.Count(string(text), b.before) != 1 {
		return fmt.Errorf("%s does not contain %q once", b.file, b.before)
	}
	changed := strings.Replace(string(text), b.before, b.after, 1)
	//nolint:gosec // the path is in the table above
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		return err
	}
	_, err = output(ctx, clone, "git", "-c", "user.name=broken", "-c", "user.email=broken@example.com",
		"commit", "--quiet", "--all", "--message", b.name)

	return err
}
