package replicatedtable

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// These tests run in parallel: the go command and the app are processes of their
// own, so they do not share the Node process of the other tests.

func TestTheReadmesAppHasOneTemplateWhereverItRuns(t *testing.T) {
	t.Parallel()
	c := newConsumer(t)
	c.build(t)
	root := t.TempDir()
	c.writeModule(t, filepath.Join(root, "app"), c.replace)
	wantBuilt, wantSkipped := c.synthesize(t, filepath.Join(root, "app"), root)

	// The links are deeper than the folders they lead to, so that as many steps up
	// from there end in another folder.
	tests := []struct {
		name, why string
		// prepare writes the module below root, and returns the folder to run the app in.
		prepare func(t *testing.T, root string) string
		// ownFunction says that the function is not the same byte for byte.
		ownFunction bool
	}{
		{
			name: "vendored", why: "the go command notes the sums of modules in a binary, but not those of vendored ones",
			prepare: func(t *testing.T, root string) string {
				folder := filepath.Join(root, "app")
				c.writeModule(t, folder, c.replace)
				goCommand(t, folder, "mod", "vendor")
				return folder
			},
			ownFunction: true,
		},
		{
			name: "through a symbolic link", why: "PWD then names the link",
			prepare: func(t *testing.T, root string) string {
				folder := filepath.Join(root, "checkout")
				c.writeModule(t, folder, c.replace)
				return link(t, folder, filepath.Join(root, "home", "links", "app"))
			},
		},
		{
			name: "through a symbolic link into a workspace", why: "the app was built without the go.work file",
			prepare: func(t *testing.T, root string) string {
				write(t, filepath.Join(root, "workspace", "go.work"), "go 1.26\n")
				folder := filepath.Join(root, "workspace", "app")
				c.writeModule(t, folder, c.replace)
				return link(t, folder, filepath.Join(root, "home", "links", "app"))
			},
		},
		{
			name: "in a workspace with a symbolic link to the module", why: "only its go.work file says where this module is",
			prepare: func(t *testing.T, root string) string {
				workspace := filepath.Join(root, "home", "workspace")
				write(t, filepath.Join(workspace, "go.work"), "go 1.26\n\nuse ./app\n"+c.replace)
				write(t, filepath.Join(workspace, "go.work.sum"), c.files["go.sum"])
				folder := filepath.Join(root, "checkout")
				c.writeModule(t, folder, "")
				return link(t, folder, filepath.Join(workspace, "app"))
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			t.Log(tt.why)
			root := t.TempDir()
			built, skipped := c.synthesize(t, tt.prepare(t, root), root)
			want := wantBuilt
			if tt.ownFunction {
				built, want = withoutHashes(built), withoutHashes(want)
			}
			if built != want {
				t.Errorf("with the function built, got\n%s\nwant\n%s", built, want)
			}
			if skipped != wantSkipped {
				t.Errorf("with building skipped, got\n%s\nwant\n%s", skipped, wantSkipped)
			}
		})
	}
}

// consumer is a separate module with the README's app, as pasted. The app is built once,
// and runs in any copy of the module. "make test-consumers" tries the module as a release.
type consumer struct {
	// files are the module's, by name.
	files map[string]string
	// replace is the line of a go.mod or go.work file that says where this
	// repository is.
	replace string
	// app is the path of the binary, once it is built.
	app string
}

func newConsumer(t *testing.T) consumer {
	t.Helper()

	repository, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	// It requires what this module requires, so that its go.mod is complete.
	requirements := strings.Replace(read(t, "../go.mod"),
		"module github.com/replicatedtable/cdk-go", "module example.com/app", 1)

	return consumer{
		files: map[string]string{
			"go.mod":  requirements + "\nrequire github.com/replicatedtable/cdk-go v0.0.0\n",
			"go.sum":  read(t, "../go.sum"),
			"main.go": firstGoBlock(t, "../README.md"),
		},
		replace: "\nreplace github.com/replicatedtable/cdk-go => " + repository + "\n",
	}
}

// firstGoBlock returns the first block of Go code in a document.
func firstGoBlock(t *testing.T, document string) string {
	t.Helper()

	_, rest, _ := strings.Cut(read(t, document), "```go\n")
	block, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatalf("%s has no block of Go code", document)
	}

	return block
}

// build builds the module's app, without debug information, which nobody reads and
// the linker would spend half of its time on.
func (c *consumer) build(t *testing.T) {
	t.Helper()

	c.app = filepath.Join(t.TempDir(), "app")
	folder := filepath.Join(t.TempDir(), "app")
	c.writeModule(t, folder, c.replace)
	goCommand(t, folder, "build", "-ldflags=-s", "-o", c.app, ".")
}

// goCommand runs the go command in a copy of the module.
func goCommand(t *testing.T, folder string, arguments ...string) {
	t.Helper()

	command := exec.Command("go", arguments...)
	command.Dir = folder
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go %s in the consumer's module: %v\n%s", strings.Join(arguments, " "), err, out)
	}
}

// writeModule writes the module to folder, with replace at the end of its go.mod.
func (c *consumer) writeModule(t *testing.T, folder, replace string) {
	t.Helper()

	for name, text := range c.files {
		if name == "go.mod" {
			text += replace
		}
		write(t, filepath.Join(folder, name), text)
	}
}

// synthesize runs the app in folder, as cdk synth does, and returns its templates: with
// the function built, and with building skipped. The assemblies are below root. Like a
// shell in that folder, it sets PWD to the folder's name, symbolic links included.
func (c *consumer) synthesize(t *testing.T, folder, root string) (built, skipped string) {
	t.Helper()

	template := func(name, context string) string {
		outdir := filepath.Join(root, name)
		command := exec.Command(c.app)
		command.Dir = folder
		command.Env = append(command.Environ(), "CDK_OUTDIR="+outdir, "CDK_CONTEXT_JSON="+context)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("running the consumer's app in %s: %v\n%s", folder, err, out)
		}

		return read(t, filepath.Join(outdir, "Users.template.json"))
	}
	return template("built", `{}`), template("skipped", `{"aws:cdk:bundling-stacks": []}`)
}

// withoutHashes masks the hashes of assets.
func withoutHashes(template string) string {
	return regexp.MustCompile(`[0-9a-f]{64}`).ReplaceAllString(template, "HASH")
}

// link creates a symbolic link to folder and returns its path.
func link(t *testing.T, folder, path string) string {
	t.Helper()

	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(folder, path); err != nil {
		t.Fatal(err)
	}

	return path
}

func read(t *testing.T, path string) string {
	t.Helper()

	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()

	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
