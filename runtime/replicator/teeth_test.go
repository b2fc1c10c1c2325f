package replicator

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheModelTestHasTeeth adds well-known bugs to the replicator, one at a time, and expects
// the model test to find each. The bugs are changes of the source text that only the compiler
// sees (go build -overlay). A bug that no longer fits the source fails the test, so the table
// stays up to date.
func TestTheModelTestHasTeeth(t *testing.T) {
	for _, bug := range []struct{ name, file, from, to string }{
		{"first and last image are compared", "plan.go",
			"if c.last == nil {",
			"if c.last == nil || len(c.keys) > 0 && " +
				"p.mappings[c.mapping].Same(&p.event.payload, c.keys[0], c.after) {"},
		{"only one old key is deleted", "plan.go",
			"*deletes = append(*deletes, write{chain: index, item: item, change: by})",
			"*deletes = append(*deletes, write{chain: index, item: item, change: by})\n\t\tbreak"},
		{"unprocessed items are ignored", "send.go",
			"case len(unprocessed) > 0:",
			"case false:"},
		{"sequence numbers are compared without padding", "../../internal/mapping/version.go",
			"range MaxSequenceNumberDigits - len(v.Number)",
			"range 0"},
		{"the old item is deleted with the put of the new one", "plan.go",
			"deletes = &p.then[m]",
			"deletes = &p.first[m]"},
		{"another owner's item is deleted", "encode.go",
			`remove = fmt.Sprintf("%s AND (%s)", owner, older)`,
			`remove, removeNames = older, names`},
		{"a failed chain is not reported", "outcome.go",
			"failures = append(failures, failure{change: c.first, mapping: c.mapping, class: transient, err: err})",
			"_, _ = c, err"},
		{"a chain resumes at its last record", "outcome.go",
			"failure{change: c.first,",
			"failure{change: c.last.change,"},
		{"the old item stays when the new image cannot be mapped", "plan.go",
			"c.addKey(&e.before)",
			"if e.after.Err == nil {\n\t\t\tc.addKey(&e.before)\n\t\t}"},
		{"the state before a refused put stays", "outcome.go",
			"ready = append(ready, remove)",
			"_ = remove"},
		{"a derived attribute is not in a deleted key", "../../internal/mapping/target_item.go",
			"dst = appendMember(dst, start, m.Key[i].head, t.keyValues[i])",
			"if m.Key[i].derived {\n\t\t\tcontinue\n\t\t}\n" +
				"\t\tdst = appendMember(dst, start, m.Key[i].head, t.keyValues[i])"},
		{"a separator inside a part is not escaped", "../../internal/mapping/key_attribute.go",
			"escaped:   source.Separator + spec.Escape,",
			`escaped:   "",`},
		{"a missing nested part is an error", "../../internal/mapping/mapper.go",
			"if value == nil ||",
			"if value == nil && len(path) == 1 ||"},
		{"the deletes of moved items do not wait for their puts", "outcome.go",
			"if len(o.pending) == 0 && len(o.refused) == 0 {",
			"if true {"},
		{"NULL is a value of a key", "../../internal/mapping/key_attribute.go",
			"dynamodbjson.IsNull(value) ||",
			""},
		{"an empty part of a composite is absent", "../../internal/mapping/key_attribute.go",
			"len(k.parts) == 1 && ",
			""},
		{"there is no brake", "brake.go",
			"return why != dynamodberror.AboutItem && !b.disabled",
			"return false"},
		{"the brake forgets from one invocation to the next", "brake.go",
			"b.on = b.on || len(b.refused) > maxRefusedInRow",
			"b.on = b.on || false"},
		{"a record that one target cannot hold is not mapped to the next ones", "project.go",
			"class: permanent, err: recordError{f.after.Err}})",
			"class: permanent, err: recordError{f.after.Err}})\n\t\t\t\tbreak"},
		{"a statement does not demand the names", "statement.go",
			`e.versionSeq + "<? AND ")` + "\n\t" + `b.WriteString(e.namesCondition(accepted))`,
			`e.versionSeq + "<?")`},
		{"the fingerprint counts the names", "../../internal/mapping/fingerprint.go",
			"sorted := slices.Clone(names)",
			"sorted := make([][]byte, len(names))"},
		{"the fingerprint is an XOR", "../../internal/mapping/fingerprint.go",
			"sorted := slices.Clone(names)",
			"sorted := [][]byte{{0}}\n\tfor _, n := range names {\n\t\tfor _, c := range n {\n\t\t\tsorted[0][0] ^= c\n\t\t}\n\t}"},
		{"the fingerprint is that of the projection's list", "../../internal/statement/shapes.go",
			"mapping.Fingerprint(names)",
			"mapping.Fingerprint(names[:len(s.mapping.Key)])"},
		{"the first names are accepted and the last removed", "statement.go",
			"range accepted {\n\t\tfor _, name := range from.Names {",
			"range accepted[len(accepted)-1:] {\n\t\tfor _, name := range from.Names {"},
		{"a statement does not demand the owner", "statement.go",
			"if !m.IsKey([]byte(k.Name)) {",
			"if false {"},
		{"a statement does not demand an older version", "statement.go",
			"return appendVersionSeq(dst, w.change)",
			"return append(dst, `{\"S\":\"9\"}`...)"},
		{"DuplicateItem is taken as done", "execute.go",
			`case code == "" ||`,
			`case code == "" || code == types.BatchStatementErrorCodeEnumDuplicateItem ||`},
		{"ConditionalCheckFailed is taken as done", "execute.go",
			"ConditionalCheckFailed && !one[0].put:",
			"ConditionalCheckFailed:"},
		{"a key is twice in a call", "group.go",
			"if slices.Contains(hashes[:n], hash) {",
			"if false {"},
		{"the error of a single statement is ignored", "execute.go",
			"o.retry(one, ownError(",
			"_, _ = one, error(ownError("},
		{"a denied statement is a systemic failure", "execute.go",
			"o.advance(one, bySingle)",
			"if isDenied(code) {\n\t\t\t\tw.stop(q.mapping, true, errStatementDenied, o)\n\t\t\t\treturn\n\t\t\t}\n" +
				"\t\t\to.advance(one, bySingle)"},
		{"every item that is read is as new", "read.go",
			"return ok && text.Value >= seq",
			`return ok && text.Value != ""`},
		{"an item before the stream has the fingerprint of another", "guard_watch_test.go",
			"names := fingerprintOf(item, t.VersionAttribute)",
			"names := fingerprintOf(jsonItem{}, t.VersionAttribute)"},
		{"the keys between the first and the last are not set aside", "set_aside_messages.go",
			"if i > 0 && bytes.Equal(k.Key, c.keys[i-1].Key) {",
			"if i > 0 && (i < len(c.keys)-1 || bytes.Equal(k.Key, c.keys[i-1].Key)) {"},
	} {
		t.Run(bug.name, func(t *testing.T) {
			source, err := os.ReadFile(bug.file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), bug.from); n != 1 {
				t.Fatalf("%s holds %q %d times: the bug no longer fits the source", bug.file, bug.from, n)
			}
			folder := t.TempDir()
			mutant := filepath.Join(folder, filepath.Base(bug.file))
			changed := strings.Replace(string(source), bug.from, bug.to, 1)
			if err := os.WriteFile(mutant, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			original, err := filepath.Abs(bug.file)
			if err != nil {
				t.Fatal(err)
			}
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: mutant}})
			if err != nil {
				t.Fatal(err)
			}
			overlayFile := filepath.Join(folder, "overlay.json")
			if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-overlay", overlayFile,
				"-run", "^TestTheTargetIsTheOracleAfterAnyHistory$", ".",
				"-model.steps=400000", "-model.reduce=false", "-model.operated=0").CombinedOutput()
			if err == nil {
				t.Error("the model test did not notice")
			}
			if !strings.Contains(string(out), "seed ") {
				t.Errorf("the mutant did not fail by a divergence:\n%s", out)
			}
		})
	}
}
