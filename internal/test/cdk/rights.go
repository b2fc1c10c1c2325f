package cdk

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// TakeAway removes an action from the inline policies of a role. giveBack restores it.
func (c *Cloud) TakeAway(ctx context.Context, role, action string) (giveBack func() error, err error) {
	policies, err := c.inlinePolicies(ctx, role)
	if err != nil {
		return nil, err
	}

	for name, before := range policies {
		// An action that no service has keeps the statement well formed.
		after := strings.ReplaceAll(before, `"`+action+`"`, `"none:None"`)
		if after == before {
			continue
		}
		put := func(document string) error {
			return c.query(ctx, "iam", map[string]string{
				"Action": "PutRolePolicy", "RoleName": role, "PolicyName": name, "PolicyDocument": document,
			}, nil)
		}
		return func() error { return put(before) }, put(after)
	}
	return nil, fmt.Errorf("no inline policy of the role %s has the action %s", role, action)
}

// inlinePolicies returns the documents of a role's inline policies by their names.
func (c *Cloud) inlinePolicies(ctx context.Context, role string) (map[string]string, error) {
	var list struct {
		Names []string `xml:"ListRolePoliciesResult>PolicyNames>member"`
	}
	err := c.query(ctx, "iam", map[string]string{"Action": "ListRolePolicies", "RoleName": role}, &list)
	if err != nil {
		return nil, err
	}

	documents := map[string]string{}
	for _, name := range list.Names {
		var policy struct {
			Document string `xml:"GetRolePolicyResult>PolicyDocument"`
		}
		err := c.query(ctx, "iam", map[string]string{
			"Action": "GetRolePolicy", "RoleName": role, "PolicyName": name,
		}, &policy)
		if err != nil {
			return nil, err
		}
		if documents[name], err = url.PathUnescape(policy.Document); err != nil {
			return nil, err
		}
	}
	return documents, nil
}

// AwaitDenial waits until a function has logged that its role lacks an action.
func (c *Cloud) AwaitDenial(ctx context.Context, action string) error {
	return c.AwaitLine(ctx, `"reason":"AccessDeniedException: `+action+`"`)
}

// AwaitLine waits until a line of the emulator's log, which has the functions' lines too,
// contains all texts.
func (c *Cloud) AwaitLine(ctx context.Context, texts ...string) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		log, err := os.ReadFile(c.Log)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(log)) {
			if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s has no line with %q: %w", c.Log, texts, ctx.Err())
		case <-tick.C:
		}
	}
}
