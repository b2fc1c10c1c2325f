package replicatedtable

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
)

// permissions lists "action on resource" for every statement of every policy of the
// role, and fails on all but plain Allow statements.
func (tpl template) permissions(t *testing.T, role string) []string {
	t.Helper()

	var documents []any
	for id, r := range tpl.Resources {
		switch {
		case id == role:
			r.want(t, "ManagedPolicyArns", nil)
			inline, _ := r.Properties["Policies"].([]any)
			for _, policy := range inline {
				documents = append(documents, policy.(map[string]any)["PolicyDocument"])
			}
		case strings.HasSuffix(r.Type, "Policy") &&
			strings.Contains(toJSON(t, r.Properties["Roles"]), `"`+role+`"`):
			documents = append(documents, r.Properties["PolicyDocument"])
		}
	}

	return allowedBy(t, documents)
}

// allowedBy lists "action on resource" for every statement of the policy
// documents, sorted, and fails on all but plain Allow statements.
func allowedBy(t *testing.T, documents []any) []string {
	t.Helper()

	var permissions []string
	for _, document := range documents {
		for _, s := range document.(map[string]any)["Statement"].([]any) {
			statement := s.(map[string]any)
			for field := range statement {
				if !slices.Contains([]string{"Effect", "Action", "Resource"}, field) {
					t.Errorf("a statement has the field %s: %s", field, toJSON(t, statement))
				}
			}
			if statement["Effect"] != "Allow" {
				t.Errorf("a statement does not allow: %s", toJSON(t, statement))
			}
			for _, action := range list(statement["Action"]) {
				for _, resource := range list(statement["Resource"]) {
					permissions = append(permissions, fmt.Sprintf("%s on %s", action, toJSON(t, resource)))
				}
			}
		}
	}
	sort.Strings(permissions)

	return permissions
}

// list is a policy's "one or many" as a list.
func list(v any) []any {
	if many, ok := v.([]any); ok {
		return many
	}
	return []any{v}
}

// onTable lists "action on resource" for a table and, if it is indexed, for its
// indexes.
func onTable(t *testing.T, id string, indexed bool, actions []string) []string {
	t.Helper()

	table := getAtt(id, "Arn")
	resources := []any{table}
	if indexed {
		resources = append(resources, map[string]any{"Fn::Join": []any{"", []any{table, "/index/*"}}})
	}

	var permissions []string
	for _, action := range actions {
		for _, resource := range resources {
			permissions = append(permissions, action+" on "+toJSON(t, resource))
		}
	}
	return permissions
}

// policies are the documents of the policies that are separate resources. Each of
// them must be attached by the same property, to one grantee.
func (tpl template) policies(t *testing.T, attached string) []any {
	t.Helper()

	var documents []any
	for id, r := range tpl.Resources {
		if r.Type != "AWS::IAM::Policy" {
			continue
		}
		if names, _ := r.Properties[attached].([]any); len(names) != 1 {
			t.Errorf("%s is attached to %v by %q, want one", id, names, attached)
		}
		documents = append(documents, r.Properties["PolicyDocument"])
	}

	return documents
}

// wantTablePolicy compares the policy of a table with one that allows a principal the
// actions, or with none. Its resource "*" is the table that has the policy.
func (r resource) wantTablePolicy(t *testing.T, why string, actions []string, principal, condition any) {
	t.Helper()

	var want any
	if principal != nil {
		statement := map[string]any{"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}
		if condition != nil {
			statement["Condition"] = condition
		}
		want = map[string]any{"PolicyDocument": map[string]any{
			"Version": "2012-10-17", "Statement": []any{statement},
		}}
	}

	replica := r.Properties["Replicas"].([]any)[0].(map[string]any)
	if got, want := toJSON(t, replica["ResourcePolicy"]), toJSON(t, want); got != want {
		t.Errorf("%s\nthe table's policy is\n%s\nwant\n%s", why, got, want)
	}
}
