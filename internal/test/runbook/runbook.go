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
	// Line is the whole command, on one line and without the comment at its end.
	Line string
	// ExitCodes are those that the comment names; 0 alone without such a comment.
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
	// exitCodes is how a comment names codes: "# exit code 0, or 1 when the tables differ".
	exitCodes = regexp.MustCompile(`^exit code (\d+)(?:, or (\d+)\b.*)?$`)
)

// Parse reads a runbook. Every line of a block is the beginning of a command, after the prompt
// "$ ", or goes on with one whose line ends with a backslash: what a command prints is not there.
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

	commands := p.runbook.Commands
	for i := range commands {
		if err := commands[i].readComment(); err != nil {
			return nil, err
		}
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
		*commands = append(*commands, Command{Heading: p.heading, Number: p.number})
	default:
		return fmt.Sprintf("%q has no prompt", text)
	}

	line, p.isContinued = strings.CutSuffix(line, `\`)
	(*commands)[len(*commands)-1].Line = strings.TrimSpace(line)

	return ""
}

// readComment takes the comment off the command's line.
func (c *Command) readComment() error {
	c.ExitCodes = []int{0}
	line, comment, found := strings.Cut(c.Line, " # ")
	if !found {
		return nil
	}

	m := exitCodes.FindStringSubmatch(strings.TrimSpace(comment))
	if m == nil {
		return fmt.Errorf("%s: the comment %q names no exit code", c, comment)
	}
	c.Line, c.ExitCodes = strings.TrimSpace(line), nil
	for _, digits := range m[1:] {
		if digits == "" {
			continue
		}
		code, err := strconv.Atoi(digits)
		if err != nil {
			return err
		}
		c.ExitCodes = append(c.ExitCodes, code)
	}

	return nil
}
