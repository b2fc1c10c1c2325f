package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// unavailableError is a reason why a situation cannot be made on this machine.
type unavailableError struct{ cause error }

func (e unavailableError) Error() string { return e.cause.Error() }

// commands runs commands in the app's folder.
func commands(lines ...string) func(*app) error {
	return func(a *app) error {
		for _, line := range lines {
			words := strings.Fields(line)
			if _, err := a.run(words[0], words[1:]...); err != nil {
				return err
			}
		}
		return nil
	}
}

// operatorsCommand runs the command of the release.
func operatorsCommand(a *app) error {
	_, err := a.run("go", "run", modulePath+"/runtime/cmd/replicatedtable@"+a.release.version, "help")
	return err
}

// only makes the app require these versions of modules and whatever they need, as if it
// had begun with them.
func only(modules ...string) func(*app) error {
	return func(a *app) error {
		for _, file := range []string{"go.mod", "go.sum"} {
			if err := os.Remove(filepath.Join(a.folder, file)); err != nil {
				return err
			}
		}
		edit := []string{"mod", "edit", "-go=1.26.0", "-require=" + modulePath + "@" + a.release.version}
		for _, m := range modules {
			edit = append(edit, "-require="+m)
		}
		for _, args := range [][]string{{"mod", "init", "users"}, edit} {
			if _, err := a.run("go", args...); err != nil {
				return err
			}
		}
		if _, err := a.run("go", "mod", "tidy"); err != nil {
			return unavailableError{err}
		}

		return nil
	}
}

// versions asks for newer versions of dependencies, which the proxy must have.
func versions(modules ...string) func(*app) error {
	return func(a *app) error {
		if _, err := a.run("go", append([]string{"get"}, modules...)...); err != nil {
			return unavailableError{err}
		}
		_, err := a.run("go", "mod", "tidy")

		return err
	}
}

// commandLine installs another command line of the CDK, which the registry must have.
func commandLine(npmPackage string) func(*app) error {
	return func(a *app) error {
		folder := a.sibling("npm")
		_, err := a.run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, npmPackage)
		if err != nil {
			return unavailableError{err}
		}
		a.cdk = filepath.Join(folder, "node_modules", ".bin", "cdk")

		return nil
	}
}

// readOnlyModuleCache gives the app a module cache in which nothing can be written.
func readOnlyModuleCache(a *app) error {
	cache := a.sibling("modules")
	downloads := "file://" + filepath.ToSlash(filepath.Join(a.moduleCache, "cache", "download"))
	a.env = append(a.env, "GOMODCACHE="+cache, "GOPROXY="+downloads, "GONOSUMDB=*")
	if _, err := a.run("go", "mod", "download"); err != nil {
		return err
	}
	if err := chmod(cache, func(mode fs.FileMode) fs.FileMode { return mode &^ 0o222 }); err != nil {
		return err
	}

	return os.WriteFile(a.sibling("modules.txt"), []byte(names(cache)), 0o644)
}

// cacheIsUnchanged compares the names in the read-only module cache: for root, it is
// not read-only.
func cacheIsUnchanged(a *app) error {
	before, err := os.ReadFile(a.sibling("modules.txt"))
	if err == nil && names(a.sibling("modules")) != string(before) {
		err = fmt.Errorf("synthesis wrote to the module cache %s", a.sibling("modules"))
	}
	return err
}

// names lists what is in a folder.
func names(folder string) string {
	var list strings.Builder
	_ = filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		list.WriteString(path + "\n")
		return err
	})

	return list.String()
}

// replaced points the app to a checkout of the construct.
func replaced(a *app) error {
	checkout := a.sibling("cdk-go")
	if _, err := a.git("clone", "--quiet", a.repository, checkout); err != nil {
		return err
	}
	return commands("go mod edit -replace "+modulePath+"=../cdk-go", "go mod tidy")(a)
}

// workspace makes the app's module a member of a workspace with another one, and runs
// cdk synth in a folder of the workspace.
func workspace(folder string) func(*app) error {
	return func(a *app) error {
		for name, text := range map[string]string{
			"go.work":       "go 1.26.0\n\nuse (\n\t./users\n\t./other\n)\n",
			"other/go.mod":  "module example.com/other\n\ngo 1.26.0\n",
			"other/main.go": "package main\n\nfunc main() {}\n",
		} {
			if err := a.write(name, text); err != nil {
				return err
			}
		}
		home := filepath.Dir(filepath.Dir(a.folder))
		config := filepath.Join(a.folder, "cdk.json")
		a.folder = filepath.Join(home, filepath.FromSlash(folder))

		return os.Rename(config, filepath.Join(a.folder, "cdk.json"))
	}
}

// symbolicLink runs the app through a link that is deeper than the folder.
func symbolicLink(a *app) error {
	link := a.sibling(filepath.Join("home", "links", "users"))
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(a.folder, link); err != nil {
		return err
	}
	a.folder = link

	return nil
}

// outside runs the app in a folder that belongs to no module.
func outside(a *app) error {
	a.folder = a.sibling("elsewhere")
	return os.MkdirAll(a.folder, 0o755)
}

// lookProgram returns the path of a program itself: PATH may have a link to it that
// works only in its folder.
func lookProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}
