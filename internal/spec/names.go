package spec

// MappingFile is where a function finds a mapping that is too long for its environment.
// A layer brings the file: Lambda unpacks layers below /opt before a process starts.
const MappingFile = "/opt/replicatedtable/mapping.json"

// Names are the texts of a Spec that only deployment knows. A spec that is too long for
// the environment is cut in two: the environment carries the names in place of the spec,
// and a file carries the spec without them.
type Names struct {
	// MappingFile is the path of that file. It comes first, and so tells an encoded
	// Names from an encoded Spec.
	MappingFile string
	// Source and Targets are the names of the tables.
	Source          string
	Targets         []string
	FailureQueueURL string
}

// Names returns the names of s, for the environment of a function whose mapping is in
// MappingFile.
func (s Spec) Names() Names {
	n := Names{MappingFile: MappingFile, Source: s.Source.TableName, FailureQueueURL: s.FailureQueueURL}
	for _, target := range s.Targets {
		n.Targets = append(n.Targets, target.TableName)
	}
	return n
}

// Encode returns the names as one line of JSON.
func (n Names) Encode() string { return encode(n) }

// WithoutNames returns s without its names, for MappingFile. The text is then the same
// in every deployment.
func (s Spec) WithoutNames() Spec { return s.withNames(Names{Targets: make([]string, len(s.Targets))}) }

// withNames returns s with the names n, one for each target.
func (s Spec) withNames(n Names) Spec {
	s.Source.TableName, s.FailureQueueURL = n.Source, n.FailureQueueURL
	targets := make([]Target, len(s.Targets))
	for i, target := range s.Targets {
		target.TableName = n.Targets[i]
		targets[i] = target
	}
	s.Targets = targets

	return s
}
