package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed testdata/shapes/main.go
var shapesApp string

// app is one app of a consumer.
type app struct {
	*lab
	// folder is where cdk synth runs: the app's module, unless the situation differs.
	folder string
	// env is added to the lab's, and args to the arguments of cdk synth.
	env, args []string
	// cdk is the path of the command line of the CDK.
	cdk string
	// out is the folder for the cloud assembly.
	out string
}

func (a *app) run(name string, args ...string) (string, error) {
	out, _, err := a.start(a.folder, a.env, name, args...)
	return out, err
}

// init makes the app that everybody begins with.
func (a *app) init() error {
	if err := os.MkdirAll(a.folder, 0o755); err != nil {
		return err
	}
	_, err := a.run(a.cdk, "init", "app", "--language", "go", "--no-color")

	return err
}

// copy makes the app a copy of another one.
func (a *app) copy(folder string) error { return os.CopyFS(a.folder, os.DirFS(folder)) }

// mainFile is the file that cdk init writes, named after the folder.
func (a *app) mainFile() string { return filepath.Join(a.folder, filepath.Base(a.folder)+".go") }

// followReadme does what the README says: its program, then its commands.
func (a *app) followReadme() error {
	text, err := a.git("show", "HEAD:README.md")
	if err != nil {
		return err
	}
	if err := os.WriteFile(a.mainFile(), []byte(block(text, "go")), 0o644); err != nil {
		return err
	}
	for command := range strings.SplitSeq(block(text, "console"), "&&") {
		words := strings.Fields(command)
		if _, err := a.run(words[0], words[1:]...); err != nil {
			return err
		}
	}

	return nil
}

// git runs git in the repository that the release was made of.
func (a *app) git(args ...string) (string, error) { return output(a.ctx, a.repository, "git", args...) }

// block returns the first block of a language in a document.
func block(document, language string) string {
	_, rest, _ := strings.Cut(document, "```"+language+"\n")
	text, _, _ := strings.Cut(rest, "```")

	return text
}

// write writes a file next to the app's folder.
func (a *app) write(name, text string) error {
	path := a.sibling(filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// sibling is a path next to the app's folder.
func (a *app) sibling(name string) string { return filepath.Join(filepath.Dir(a.folder), name) }

// synth runs cdk synth, with the app of cdk.json unless args name another.
func (a *app) synth() (usage, error) {
	args := append([]string{"synth", "--quiet", "--no-color", "--no-notices", "--output", a.out}, a.args...)
	_, took, err := a.start(a.folder, a.env, a.cdk, args...)

	return took, err
}

// synthWithout runs a binary of the app as cdk synth would, for machines on which
// that does not run.
func (a *app) synthWithout(binary string) (usage, error) {
	_, took, err := a.start(a.folder, append(a.env, "CDK_OUTDIR="+a.out), a.binary(binary))
	return took, err
}

// onlyOnPath leaves only these programs on PATH.
func (a *app) onlyOnPath(programs ...string) error {
	folder := filepath.Join(filepath.Dir(a.folder), "path")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, program := range programs {
		path, err := lookProgram(program)
		if err != nil {
			return err
		}
		if err := os.Symlink(path, filepath.Join(folder, program)); err != nil {
			return fmt.Errorf("PATH with %s: %w", program, err)
		}
	}
	a.env = append(a.env, "PATH="+folder)

	return nil
}
