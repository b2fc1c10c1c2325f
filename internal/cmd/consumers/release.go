package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const modulePath = "github.com/replicatedtable/cdk-go"

// release is this module as a module proxy serves it.
type release struct {
	// version names the commit: the module cache keeps what it has for a version, so
	// two contents must not share one.
	version string
	// proxy is a folder that the go command accepts as a proxy.
	proxy string
}

// pack packs the last commit of a repository into a proxy. Like a tag, it knows
// nothing of changes that are not committed.
func pack(ctx context.Context, repository, proxy string) (release, error) {
	commit, err := output(ctx, repository, "git", "rev-parse", "HEAD")
	if err != nil {
		return release{}, err
	}
	goMod, err := output(ctx, repository, "git", "show", "HEAD:go.mod")
	if err != nil {
		return release{}, err
	}
	r := release{version: "v0.0.0-head.g" + commit[:12], proxy: proxy}
	if err := os.MkdirAll(r.path(""), 0o755); err != nil {
		return release{}, err
	}

	info, err := json.Marshal(map[string]any{"Version": r.version, "Time": time.Unix(0, 0).UTC()})
	if err != nil {
		return release{}, err
	}
	for name, text := range map[string]string{
		"list": r.version + "\n", r.version + ".info": string(info), r.version + ".mod": goMod + "\n",
	} {
		if err := os.WriteFile(r.path(name), []byte(text), 0o644); err != nil {
			return release{}, err
		}
	}

	return r, r.writeZip(repository)
}

func (r release) writeZip(repository string) error {
	file, err := os.Create(r.path(r.version + ".zip"))
	if err != nil {
		return err
	}
	defer file.Close()
	version := module.Version{Path: modulePath, Version: r.version}
	if err := zip.CreateFromVCS(file, version, repository, "HEAD", ""); err != nil {
		return fmt.Errorf("packing %s: %w", repository, err)
	}

	return file.Close()
}

// path is the path of one of the module's files in the proxy.
func (r release) path(name string) string {
	return filepath.Join(r.proxy, filepath.FromSlash(modulePath), "@v", name)
}

// forget removes the release from a module cache, where no other program needs it.
func (r release) forget(moduleCache string) error {
	folder := filepath.FromSlash(modulePath)
	if err := removeAll(filepath.Join(moduleCache, folder+"@"+r.version)); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(moduleCache, "cache", "download", folder, "@v", r.version+".*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			return err
		}
	}

	return nil
}

// removeAll removes a folder that may hold a module cache: its folders are read-only.
func removeAll(folder string) error {
	err := chmod(folder, func(mode fs.FileMode) fs.FileMode { return mode | 0o200 })
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.RemoveAll(folder)
}

// chmod changes the modes of everything in a folder, except for symbolic links.
func chmod(folder string, change func(fs.FileMode) fs.FileMode) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil || change(info.Mode()) == info.Mode() {
			return err
		}
		return os.Chmod(path, change(info.Mode())) //nolint:gosec // nobody else writes to the folder
	})
}

// output runs a command that has nothing to do with an app, and returns its output.
func output(ctx context.Context, folder, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = folder
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", command, err)
	}

	return strings.TrimSpace(string(out)), nil
}
