package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
)

// build builds a function for this machine and for arm64.
func build(ctx context.Context, f function, folder string) (built, error) {
	b := built{function: f, binary: filepath.Join(folder, f.name)}
	var err error
	if b.size, err = compile(ctx, f, b.binary, runtime.GOOS, runtime.GOARCH); err != nil {
		return b, err
	}
	b.sizeARM64, err = compile(ctx, f, b.binary+"-arm64", "linux", "arm64")

	return b, err
}

// compile builds one binary and returns its size.
func compile(ctx context.Context, f function, file, system, architecture string) (int64, error) {
	arguments := slices.Concat([]string{"build", "-o", file}, f.flags,
		[]string{"github.com/replicatedtable/cdk-go/internal/cmd/bench/coldstart/functions/" + f.folder})
	cmd := exec.CommandContext(ctx, "go", arguments...)
	// GoFunction builds without cgo.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+architecture)
	if output, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build %s: %w: %s", f.name, err, output)
	}

	stat, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return stat.Size(), nil
}
