package replicatedtable

import (
	"fmt"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// AttributePath returns the text that names an attribute in a [TargetProps]: the
// top-level attribute that the first step names or, with more steps, a member of
// the map there.
//
// Each text with which these props name an attribute is such a path. A dot leads
// into a map: "address.city" is the member city of the map address, the same as
// AttributePath("address", "city"). Where a dot, a backslash or a bracket belongs to
// a name, a backslash comes before it. AttributePath writes that backslash:
// AttributePath("user.email") is the top-level attribute user.email. Brackets are
// reserved for elements of lists, which no path can name yet.
//
// Key attributes are no such texts: PartitionKey, SortKey and the keys of KeySources
// name them as DynamoDB does.
func AttributePath(steps ...string) *string {
	names := make([]string, len(steps))
	for i, step := range steps {
		names[i] = escapeStep.Replace(step)
	}
	path := strings.Join(names, ".")
	return &path
}

// special are the characters that have a meaning in a path unless a backslash comes
// before them.
const special = `.\[]`

var escapeStep = strings.NewReplacer(`.`, `\.`, `\`, `\\`, `[`, `\[`, `]`, `\]`)

// parsePath splits a path into its steps, one at least. It fails for a text with a
// bracket, or with a backslash before a character that has no meaning.
func parsePath(text string) (steps []string, ok bool) {
	var step strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '.':
			steps = append(steps, step.String())
			step.Reset()
		case '[', ']':
			return nil, false
		case '\\':
			i++
			if i == len(text) || strings.IndexByte(special, text[i]) < 0 {
				return nil, false
			}
			step.WriteByte(text[i])
		default:
			step.WriteByte(c)
		}
	}

	return append(steps, step.String()), true
}

// toPath returns the steps of a path. A token, and a text that is not a path, is one
// step: other rules refuse it as a whole.
func toPath(text *string) []string {
	path := toString(text)
	if steps, ok := parsePath(path); ok && !isToken(path) {
		return steps
	}
	return []string{path}
}

// toName returns the name of the top-level attribute at a path. A path into a map
// remains as it is: pathProblems refuses it.
func toName(text *string) string {
	if steps := toPath(text); len(steps) == 1 {
		return steps[0]
	}
	return toString(text)
}

// isPath reports whether text is a path, or a token, which has a rule of its own.
func isPath(text string) bool {
	_, ok := parsePath(text)
	return ok || isToken(text)
}

// syntaxProblems lists the texts that are not paths.
func syntaxProblems(prop string, texts ...string) []spec.Problem {
	var problems []spec.Problem
	for _, text := range texts {
		if !isPath(text) {
			problems = append(problems, syntaxProblem(prop, text, meantSteps(text)...))
		}
	}
	return problems
}

// syntaxProblem says that text is not a path, and which steps name what it probably means.
func syntaxProblem(prop, text string, meant ...string) spec.Problem {
	return spec.Problem{Path: prop, Text: fmt.Sprintf(
		"%q has a bracket or a backslash that is not escaped, and a path cannot name an element of a list: "+
			"if it belongs to a name, write AttributePath(%s)", text, quoteSteps(meant))}
}

// meantSteps returns the steps that the caller of a text that is not a path probably
// means: a bracket, and a backslash that escapes nothing, belong to a name.
func meantSteps(text string) []string {
	var steps []string
	var step strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '.':
			steps = append(steps, step.String())
			step.Reset()
			continue
		case c == '\\' && i+1 < len(text) && strings.IndexByte(special, text[i+1]) >= 0:
			i++
		}
		step.WriteByte(text[i])
	}

	return append(steps, step.String())
}

// topLevelProblems lists the texts that do not name a top-level attribute.
func topLevelProblems(prop string, texts ...string) []spec.Problem {
	var problems []spec.Problem
	for _, text := range texts {
		if !isPath(text) {
			problems = append(problems, syntaxProblem(prop, text, strings.Join(meantSteps(text), ".")))
		} else if steps := toPath(&text); len(steps) > 1 {
			problems = append(problems, spec.Problem{Path: prop, Text: fmt.Sprintf(
				"%q leads into the map %q: only top-level attributes can be named here; "+
					"if the dot belongs to a name, write AttributePath(%s)", text, steps[0], quoteSteps([]string{strings.Join(steps, ".")}))})
		}
	}
	return problems
}

// quoteSteps writes steps as arguments in Go.
func quoteSteps(steps []string) string {
	quoted := make([]string, len(steps))
	for i, step := range steps {
		quoted[i] = fmt.Sprintf("%q", step)
	}
	return strings.Join(quoted, ", ")
}
