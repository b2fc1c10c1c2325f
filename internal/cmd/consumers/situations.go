package main

// situation is one way in which a consumer uses the construct. Unless it says
// otherwise, a copy of the README's app is synthesized with the command of its
// cdk.json, and gets two tables and the one function that all apps with the same
// dependencies share.
type situation struct {
	name, why string
	// folder is the app's, "users" by default. In a fresh app it names the module, too.
	folder string
	// fresh makes the app from the beginning, with cdk init and the README.
	fresh bool
	// env is added to the environment, and args to the arguments of cdk synth.
	env, args []string
	// command runs the app instead of that of cdk.json. binary names one that the lab
	// built, and shape is the one of the app's shapes that is wanted.
	command, binary, shape string
	// programs are all that is on PATH. Without node, the binary runs without the CDK's
	// command line.
	programs []string
	// prepare changes the copy.
	prepare func(*app) error

	// refusal is part of the message with which synthesis has to end. It is ours, or the
	// one of the CDK, which then ends before our code runs.
	refusal, refusalOfCDK string
	// versions names the function's dependencies if they are not those of the README's app.
	versions string
	// tables is the number of tables in all templates, if not two.
	tables int
	// reconcilers is the number of functions of reconcilers.
	reconcilers int
	// every names a property that each resource of a type must have.
	every map[string]string
	// contains is a text that some template must contain.
	contains string
	// check is what else must hold after synthesis.
	check func(*app) error
}

// The versions of a consumer's dependencies: the oldest that the README allows, and one
// of the SDK that is newer than ours.
var (
	oldestCDK = []string{
		"github.com/aws/aws-cdk-go/awscdk/v2@v2.260.0",
		"github.com/aws/constructs-go/constructs/v10@v10.6.0",
		"github.com/aws/jsii-runtime-go@v1.133.0",
	}
	newerSDK = []string{"github.com/aws/aws-sdk-go-v2/service/dynamodb@v1.74.0"}
	newerCLI = "aws-cdk@3.0.0"
)

var situations = []situation{
	{name: "fresh app", why: "the README, word for word, with the versions of cdk init", fresh: true},
	{name: "another name", why: "the folder is not called like the module", fresh: true, folder: "orders-service",
		prepare: commands("go mod edit -module example.com/team/orders")},

	{name: "read-only module cache", why: "build machines share one",
		prepare: readOnlyModuleCache, check: cacheIsUnchanged},
	// The go command notes the sums of modules in a binary, but not those of vendored ones.
	{name: "vendored", why: "go mod vendor leaves out main packages", prepare: commands("go mod vendor"),
		versions: "vendored"},
	{name: "vendored, no cache or proxy", why: "cdk.json must not have its go mod download", command: "go run users.go",
		prepare: commands("go mod vendor"), env: []string{"GOMODCACHE={}/empty", "GOPROXY=off"}, versions: "vendored"},
	{name: "replace", why: "a local copy of the construct", prepare: replaced, versions: "a local copy"},
	{name: "go.work, member", why: "go.sum is no longer all", folder: "work/users", prepare: workspace("work/users")},
	{name: "go.work, other member", why: "the working directory is in another module", folder: "work/users",
		command: "go run ../users", prepare: workspace("work/other")},
	{name: "go.work, root", why: "the working directory is in no module", folder: "work/users",
		command: "go run ./users", prepare: workspace("work")},
	{name: "offline", why: "a proxy that does not answer",
		env: []string{"GOPROXY=http://127.0.0.1:1", "HTTPS_PROXY=http://127.0.0.1:1"}},
	{name: "no network", why: "a proxy that is switched off", env: []string{"GOPROXY=off"}},

	// Without the lab's GOFLAGS it uses the CDK that this repository's tests compiled.
	{name: "oldest CDK", why: "the one that our go.mod requires",
		prepare: only(oldestCDK...), env: []string{"GOFLAGS="}},
	{name: "newer SDK", why: "another part of the app wants it",
		prepare: versions(newerSDK...), versions: "newer SDK"},
	{name: "CDK CLI 3", why: "npm's latest", prepare: commandLine(newerCLI),
		refusalOfCDK: "Cloud assembly schema version mismatch"},

	{name: "prebuilt app", why: "a binary knows its module", binary: "readme"},
	{name: "symbolic link", why: "PWD names the link, and up from there is elsewhere", prepare: symbolicLink},
	{name: "spaces", why: "what a shell splits", folder: "my users"},
	{name: "odd characters", why: "what a shell expands", folder: `it's "Ann's" $HOME für $(date)`},
	{name: "GOFLAGS", why: "the caller's flags are about other programs", env: []string{
		"GOFLAGS=-trimpath -mod=mod -tags=integration -ldflags=-w"}},
	{name: "GOARM64 and others", why: "the caller's processor is not Lambda's", binary: "readme", env: []string{
		"GOARM64=v9.0", "GOAMD64=v3", "GOEXPERIMENT=nogreenteagc", "GOFIPS140=latest", "CGO_ENABLED=1"}},
	{name: "--strict", why: "a warning fails it", args: []string{"--strict"}},
	{name: "outside of a module", why: "there is nothing to build the function in", binary: "readme",
		prepare: outside, refusal: "the app's go.mod was not found"},
	{name: "no go", why: "some build machines only deploy", binary: "readme",
		programs: []string{"node"}, refusal: "install Go and put it on PATH"},
	{name: "no bash", why: "small images", programs: []string{"node", "go"}},
	{name: "no node", why: "the CDK for Go runs on it", binary: "readme",
		programs: []string{"go"}, refusalOfCDK: `exec: "node": executable file not found`},

	{name: "the command", why: "go run builds it apart from the app's module", prepare: operatorsCommand},

	{name: "two tables", why: "one function's code for both", shape: "two tables", tables: 4},
	{name: "ten tables", why: "one function's code for all", shape: "ten tables", tables: 20},
	{name: "two architectures", why: "two builds", shape: "two architectures", tables: 4},
	{name: "several stacks", why: "one asset for all", shape: "several stacks", tables: 6},
	{name: "stages", why: "the assets are outside of their folders", shape: "stages", tables: 4},
	{name: "pipeline", why: "it publishes the asset by its hash", shape: "pipeline",
		contains: "AWS::CodePipeline::Pipeline"},
	{name: "nested stacks", why: "templates are assets, too", shape: "nested stacks", tables: 4},
	{name: "TableV2", why: "the newest CDK returns its settings in another form", shape: "TableV2"},
	{name: "reconcilers", why: "a second function, one for all", shape: "reconcilers", tables: 4, reconcilers: 1},
	{name: "vendored reconcilers", why: "its package is vendored too", shape: "reconcilers", tables: 4, reconcilers: 1,
		prepare: commands("go mod vendor"), versions: "vendored"},
	{name: "own construct", why: "a scope written in Go", shape: "own construct"},
	{name: "tags", why: "an aspect visits each part", shape: "tags",
		every: map[string]string{"AWS::Lambda::Function": "Tags", "AWS::SQS::Queue": "Tags", "AWS::IAM::Role": "Tags"}},
	{name: "permissions boundary", why: "an aspect visits the roles", shape: "permissions boundary",
		every: map[string]string{"AWS::IAM::Role": "PermissionsBoundary"}},
	{name: "qualifier", why: "another bootstrap stack", shape: "qualifier", contains: "cdk-ourteam-assets-"},
}
