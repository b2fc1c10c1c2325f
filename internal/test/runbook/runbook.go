// Package runbook reads the commands of replicatedtable/RUNBOOK.md, so that tests run what
// somebody on call would paste.
package runbook

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// File is the runbook's path below the root of the repository.
const File = "replicatedtable/RUNBOOK.md"

// Command is one command of the runbook.
type Command struct {
	// Heading is the heading above it, such as "IteratorAgeAlarm", and Number its line in the file.
	Heading string
	Number  int
	// Line is the whole command, on one line.
	Line string
	// ExitCodes are those that the line below the command names; 0 alone without such a line.
	ExitCodes []int
}

// Allows reports whether the document names this exit code.
func (c Command) Allows(exitCode int) bool { return slices.Contains(c.ExitCodes, exitCode) }

func (c Command) String() string { return fmt.Sprintf("%s:%d: %s", File, c.Number, c.Line) }

// Runbook is the parsed document.
type Runbook struct {
	// Headings are in the order of the document, without the title.
	Headings []string
	// Commands are those of all headings, in the order of the document.
	Commands []Command
}

// Read reads the runbook of the repository at root.
func Read(root string) (*Runbook, error) {
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(File)))
	if err != nil {
		return nil, err
	}
	return Parse(string(content))
}

// Under returns the commands under a heading, up to the next heading of any level. It is an error
// when there is no such heading, or no command under it.
func (r *Runbook) Under(heading string) ([]Command, error) {
	var found []Command
	for _, c := range r.Commands {
		if c.Heading == heading {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no command under the heading %q: its headings are %q", File, heading, r.Headings)
	}
	return found, nil
}

var (
	headingLine = regexp.MustCompile(`^#{2,6} (.+)$`)
	fenceLine   = regexp.MustCompile("^ *```(.*)$")
	// exitCodeLine is "# exit code 0, or 1 when the tables differ". It is not at the end of the
	// command, because zsh takes a comment there for arguments.
	exitCodeLine = regexp.MustCompile(`^# exit code (\d+)(?:, or (\d+)\b.*)?$`)
)

// Parse reads a runbook. Every line of a block is the beginning of a command, after the prompt
// "$ ", goes on with one whose line ends with a backslash, or names the exit codes of the command
// above: what a command prints is not there.
func Parse(document string) (*Runbook, error) {
	p := &parser{runbook: &Runbook{}}
	for line := range strings.Lines(document) {
		p.number++
		if problem := p.read(strings.TrimRight(line, "\n")); problem != "" {
			return nil, fmt.Errorf("%s:%d: %s", File, p.number, problem)
		}
	}
	if p.inBlock {
		return nil, fmt.Errorf("%s: the last block has no end", File)
	}

	return p.runbook, nil
}

// parser is how far a runbook has been read.
type parser struct {
	runbook *Runbook
	heading string
	number  int
	// inBlock says that the next line is one of a block, isContinued that it goes on with the command above.
	inBlock, isContinued bool
}

// read reads the next line, and returns what is wrong with it, if anything.
func (p *parser) read(line string) (problem string) {
	fence, heading := fenceLine.FindStringSubmatch(line), headingLine.FindStringSubmatch(line)
	switch {
	case fence != nil && p.isContinued:
		return "the block ends within a command"
	case fence != nil && !p.inBlock && fence[1] != "console":
		return fmt.Sprintf("a block of %q: commands are in blocks of console", fence[1])
	case fence != nil:
		p.inBlock = !p.inBlock
	case p.inBlock:
		return p.readCommand(strings.TrimSpace(line))
	case heading != nil:
		p.heading = heading[1]
		p.runbook.Headings = append(p.runbook.Headings, p.heading)
	}

	return ""
}

// readCommand reads a line of a block.
func (p *parser) readCommand(text string) (problem string) {
	commands := &p.runbook.Commands
	line, isNew := strings.CutPrefix(text, "$ ")
	switch {
	case p.isContinued:
		line = (*commands)[len(*commands)-1].Line + " " + text
	case isNew:
		*commands = append(*commands, Command{Heading: p.heading, Number: p.number, ExitCodes: []int{0}})
	default:
		return p.readExitCodes(text)
	}

	line, p.isContinued = strings.CutSuffix(line, `\`)
	(*commands)[len(*commands)-1].Line = strings.TrimSpace(line)

	return ""
}

// readExitCodes reads the line below a command.
func (p *parser) readExitCodes(text string) (problem string) {
	codes, commands := exitCodeLine.FindStringSubmatch(text), p.runbook.Commands
	if codes == nil || len(commands) == 0 {
		return fmt.Sprintf("%q has no prompt, and names no exit code of a command", text)
	}

	last := &commands[len(commands)-1]
	last.ExitCodes = nil
	for _, digits := range codes[1:] {
		if code, err := strconv.Atoi(digits); err == nil { // the second one may be empty
			last.ExitCodes = append(last.ExitCodes, code)
		}
	}

	return ""
}
