package replicatedtable

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// mappingLayerID is the ID of the layer's construct. It is no target's, even while there
// is no layer.
const mappingLayerID = "Mapping"

// writeMapping writes the layer's folder next to the assets when the function needs
// one, and returns its path. It is called before anything is defined in scope.
func (r replication) writeMapping(scope constructs.Construct) (string, error) {
	if !r.needsLayer() {
		return "", nil
	}
	folder, err := writeLayer(*awscdk.Stage_Of(scope).AssetOutdir(), r.WithoutNames().Encode())
	if err != nil {
		return "", fmt.Errorf("writing the mapping's layer: %w", err)
	}

	return folder, nil
}

// writeLayer writes a layer with a mapping below folder, and returns the path of its
// folder. That contains the mapping's hash: the CDK hashes each path only once.
func writeLayer(folder, mapping string) (string, error) {
	hash := sha256.Sum256([]byte(mapping))
	folder, err := filepath.Abs(filepath.Join(folder, ".replicatedtable", "mapping", hex.EncodeToString(hash[:])))
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, filepath.FromSlash(strings.TrimPrefix(spec.MappingFile, "/opt/")))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}

	if err := os.WriteFile(file, []byte(mapping), 0o644); err != nil {
		return "", err
	}

	// A layer's files keep their permissions, and the function is not their owner: under a
	// strict umask, it could not read this one.
	return folder, os.Chmod(file, 0o644) //nolint:gosec // the function must read it
}

// setMapping puts the content of folder into the function's layer, and defines the layer
// first if there is none. An empty folder means that the function needs no layer. The
// asset of an earlier content stays in the app and is published too: that is cheaper
// than to have the CDK call back at synthesis.
func (t *replicatedTable) setMapping(folder string) {
	if folder == "" {
		return
	}
	if t.mappingLayer == nil {
		t.mappingLayer = awslambda.NewLayerVersion(t, jsii.String(mappingLayerID), &awslambda.LayerVersionProps{
			Description: jsii.String("The mapping of a source table to its target tables"),
			Code:        awslambda.Code_FromAsset(jsii.String(folder), nil),
		})
		t.function.AddLayers(t.mappingLayer)
		for _, r := range t.reconcilers {
			r.function.AddLayers(t.mappingLayer)
		}
		for _, o := range t.operators {
			o.grantLayer(t)
		}
		return
	}

	asset := awss3assets.NewAsset(t.mappingLayer, jsii.String(filepath.Base(folder)), &awss3assets.AssetProps{
		Path: jsii.String(folder),
	})
	resource := t.mappingLayer.Node().DefaultChild().(awslambda.CfnLayerVersion)
	resource.SetContent(&awslambda.CfnLayerVersion_ContentProperty{
		S3Bucket: asset.S3BucketName(),
		S3Key:    asset.S3ObjectKey(),
	})
	asset.AddResourceMetadata(resource, jsii.String("Content"))
}
