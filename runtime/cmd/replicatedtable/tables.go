package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// table is what DynamoDB says about a table.
type table struct {
	name, id string
	// items and bytes are counted by DynamoDB about every six hours. Source: Amazon DynamoDB API
	// Reference, TableDescription.
	items, bytes int64
	onDemand     bool
	streamARN    string // of a stream with both images, otherwise empty
}

// describe describes the source table and the target tables, in the order of the mapping.
func (d *deployment) describe(ctx context.Context) (source table, targets []table, err error) {
	client := dynamodb.NewFromConfig(d.config)
	if source, err = describe(ctx, client, d.spec.Source.TableName, "source"); err != nil {
		return source, nil, err
	}
	for _, name := range targetTables(d.spec) {
		target, err := describe(ctx, client, name, "target")
		if err != nil {
			return source, nil, err
		}
		targets = append(targets, target)
	}

	return source, targets, nil
}

func describe(ctx context.Context, client *dynamodb.Client, name, role string) (table, error) {
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
		return table{}, usageError("there is no %s table %s in the Region %s: check AWS_PROFILE and AWS_REGION",
			role, name, client.Options().Region)
	}
	if err != nil {
		return table{}, err
	}

	t := table{
		name: name, id: aws.ToString(out.Table.TableArn) + " " + aws.ToString(out.Table.TableId),
		items: aws.ToInt64(out.Table.ItemCount), bytes: aws.ToInt64(out.Table.TableSizeBytes),
	}
	if mode := out.Table.BillingModeSummary; mode != nil {
		t.onDemand = mode.BillingMode == types.BillingModePayPerRequest
	}
	if s := out.Table.StreamSpecification; s != nil && aws.ToBool(s.StreamEnabled) &&
		s.StreamViewType == types.StreamViewTypeNewAndOldImages {
		t.streamARN = aws.ToString(out.Table.LatestStreamArn)
	}

	return t, nil
}

// checkStream says why changes do not reach the targets, nil when they do.
func (d *deployment) checkStream(ctx context.Context, source table) error {
	if source.streamARN == "" {
		return usageError("the stream of %s is off or lacks old or new images, so changes do not reach its targets: "+
			"deploy the ReplicatedTable again", source.name)
	}
	if d.function == "" {
		return nil
	}

	pages := lambda.NewListEventSourceMappingsPaginator(lambda.NewFromConfig(d.config),
		&lambda.ListEventSourceMappingsInput{FunctionName: &d.function})
	state := ""
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, m := range page.EventSourceMappings {
			if aws.ToString(m.EventSourceArn) == source.streamARN {
				state = aws.ToString(m.State)
			}
		}
	}

	switch state {
	case "":
		return usageError("%s does not read the stream of %s: name the function that does, "+
			"or deploy the ReplicatedTable again", d.function, source.name)
	case "Disabled", "Disabling", "Deleting":
		return usageError("the event source mapping of the function is %s, so changes do not reach the targets: "+
			"enable it first", fmt.Sprintf("%q", state))
	default:
		return nil
	}
}
