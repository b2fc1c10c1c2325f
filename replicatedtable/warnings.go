package replicatedtable

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// The CDK calls warnings by these names in Annotations_Of(…).AcknowledgeWarning.
const (
	warningTargetItems = "@replicatedtable/cdk-go:existingTarget"
	warningReplicas    = "@replicatedtable/cdk-go:sourceReplicas"
	warningReaders     = "@replicatedtable/cdk-go:streamReaders"
	warningPath        = "@replicatedtable/cdk-go:path"
	warningRename      = "@replicatedtable/cdk-go:filterOnRename"
	warningNumber      = "@replicatedtable/cdk-go:numberInKey"
	warningIncludedKey = "@replicatedtable/cdk-go:includedKey"
	warningShared      = "@replicatedtable/cdk-go:sharedTarget"
	warningRole        = "@replicatedtable/cdk-go:immutableRole"
)

// warning is something that may be meant, and usually is not.
type warning struct{ id, text string }

func (t *replicatedTable) warn(warnings ...warning) {
	for _, w := range warnings {
		awscdk.Annotations_Of(t).AddWarningV2(jsii.String(w.id), jsii.String(w.text))
	}
}

// mappingWarnings lists what in a target called name is probably not meant.
func mappingWarnings(name string, source spec.KeySchema, target spec.Target, props *TargetProps) []warning {
	var warnings []warning
	add := func(id, field, format string, args ...any) {
		warnings = append(warnings, warning{id, fmt.Sprintf("%s.%s ", name, field) + fmt.Sprintf(format, args...)})
	}

	for _, key := range sortedKeys(target.KeySources) {
		parts := target.KeySources[key].Parts
		for _, part := range parts {
			warnPath(add, "KeySources", part, source)
			for _, a := range source.Attributes() {
				if len(parts) > 1 && a.Type == spec.Number && slices.Equal(part, []string{a.Name}) {
					add(warningNumber, "KeySources", "%q joins the number %q: in a string, 10 comes before 9. "+
						"Keep numbers of one length in the source item if the order matters", key, a.Name)
				}
			}
		}
	}
	if target.Filter != nil {
		for _, path := range paths(*target.Filter) {
			warnPath(add, "Filter", path, source)
			for _, from := range sortedKeys(target.Projection.Renames) {
				if len(path) > 0 && path[0] == target.Projection.Renames[from] && target.Projection.Renames[path[0]] == "" {
					add(warningRename, "Filter", "names %q, the new name of %q: the filter looks at the source item, "+
						"where that is called %q", path[0], from, from)
				}
			}
		}
	}
	for _, attribute := range includedKeys(props, source, target) {
		add(warningIncludedKey, "Projection", "INCLUDE lists the key attribute %q, which every target item carries: "+
			"remove it from the list", attribute)
	}

	return warnings
}

// warnPath warns of a path that looks like one of another notation, or like the name of a
// source key.
func warnPath(add func(id, field, format string, args ...any), field string, path []string, source spec.KeySchema) {
	whole := strings.Join(path, ".")
	switch {
	case len(path) > 1 && source.Contains(whole):
		add(warningPath, field, "names the member %s of the map %q, and the source key is called %q: for that, "+
			"write AttributePath(%q)", pathText(path[1:]), path[0], whole, whole)
	case len(path) > 1 && path[0] == "$" || slices.Contains(path, "*"):
		add(warningPath, field, "has the path %s: a path is not JSONPath, and this one leads to an attribute "+
			"that is really called %q", pathText(path), path[slices.IndexFunc(path, isWildcard)])
	}
}

func isWildcard(step string) bool { return step == "$" || step == "*" }

// paths lists the paths in a condition.
func paths(c spec.Condition) [][]string {
	var found [][]string
	if c.Operator != "" {
		found = append(found, c.Path)
	}
	for _, sub := range slices.Concat(c.All, c.Any) {
		found = append(found, paths(sub)...)
	}
	return found
}

// includedKeys lists the key attributes that INCLUDE names: every target item carries them
// as it is. Those that are derived cannot be carried, and have a rule of their own.
func includedKeys(props *TargetProps, source spec.KeySchema, target spec.Target) []string {
	if props.Projection == nil || props.Projection.Type != ProjectionType_INCLUDE {
		return nil
	}
	var keys []string
	for _, attribute := range toStrings(props.Projection.Attributes) {
		name := toName(&attribute)
		_, derived := target.KeySources[name]
		if source.Contains(name) || target.Contains(name) && !derived {
			keys = append(keys, name)
		}
	}
	return keys
}
