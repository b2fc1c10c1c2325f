package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/replicatedtable/cdk-go/internal/test/partiql"
)

// statement is one element of a BatchExecuteStatement's Statements.
type statement struct {
	Statement  string
	Parameters []json.RawMessage
}

// statementWrites returns what the statements put and delete.
func statementWrites(statements []statement) ([]Write, error) {
	writes := make([]Write, len(statements))
	for i, s := range statements {
		parsed, err := partiql.Parse(s.Statement)
		if err != nil {
			return nil, err
		}
		var members []string
		add := func(name string, parameter int) {
			members = append(members, fmt.Sprintf("%q:%s", name, s.Parameters[parameter]))
		}
		for n, name := range parsed.Set {
			add(name, n)
		}
		for _, term := range parsed.Where {
			if a := term[0]; len(term) == 1 && a.Operator == partiql.Equal {
				add(a.Path[0], a.Parameter)
			}
		}
		writes[i] = Write{parsed.Table, parsed.Kind != partiql.Delete, []byte("{" + strings.Join(members, ",") + "}")}
	}

	return writes, nil
}

// refuseStatements answers the chosen statements of a BatchExecuteStatement with an error of
// their own. follow answers the others.
func (q *request) refuseStatements(
	chosen []bool, code, message string, follow func(*request) (*http.Response, error),
) (*http.Response, error) {
	var input struct{ Statements []json.RawMessage }
	if err := json.Unmarshal(q.body, &input); err != nil {
		return nil, fmt.Errorf("faults: the body of BatchExecuteStatement: %w", err)
	}
	var kept []json.RawMessage
	for n, s := range input.Statements {
		if !chosen[n] {
			kept = append(kept, s)
		}
	}

	var answer struct{ Responses []json.RawMessage }
	if len(kept) > 0 {
		input.Statements = kept
		body, err := json.Marshal(input)
		if err != nil {
			return nil, err
		}
		others := &request{http: q.http, body: body, content: q.content, attempt: q.attempt}
		others.writes = sync.OnceValues(others.readWrites)
		response, err := follow(others)
		if err != nil || response.StatusCode != http.StatusOK {
			return response, err
		}
		text, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close(), json.Unmarshal(text, &answer)); err != nil {
			return nil, err
		}
	}

	var all []json.RawMessage
	for _, refused := range chosen {
		if refused {
			all = append(all, fmt.Appendf(nil, `{"Error":{"Code":%q,"Message":%q}}`, code, message))
		} else {
			all, answer.Responses = append(all, answer.Responses[0]), answer.Responses[1:]
		}
	}
	body, err := json.Marshal(map[string]any{"Responses": all})
	if err != nil {
		return nil, err
	}

	return q.respond(http.StatusOK, body), nil
}

// statementCode is the code of a statement's own error for a kind of fault, or "" where a
// fault hits the whole call.
func statementCode(kind Kind, d dice) string {
	transient := []string{"ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded",
		"InternalServerError", "TransactionConflict"}
	switch {
	case kind == Unprocessed:
		return transient[d.choose(len(transient))]
	case kind == Throttled:
		return transient[d.choose(3)] // the first ones
	case kind == InternalServerError:
		return "InternalServerError"
	case kind == Poison:
		return "ValidationError"
	case kind == AccessDenied && d.seed%2 == 0:
		return "AccessDenied"
	case kind == NotFound && d.seed%2 == 0:
		return "ResourceNotFound"
	default:
		return ""
	}
}
