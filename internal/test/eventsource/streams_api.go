package eventsource

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// streamsAPI calls DynamoDB Streams at the endpoint of its config. The client of the SDK
// would hand out records in its own types, which only approximate their JSON, and its
// module would get into the go.sum of every app: the tests of the packages that an app
// imports import this package.
type streamsAPI struct{ config aws.Config }

// call sends one request and decodes the JSON of its answer.
func (a streamsAPI) call(ctx context.Context, action string, input, output any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, *a.config.BaseEndpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810."+action)
	credentials, err := a.config.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	err = v4.NewSigner().SignHTTP(ctx, credentials, request, hash, "dynamodb", a.config.Region, time.Now())
	if err != nil {
		return err
	}

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	if err == nil {
		err = json.Unmarshal(answer, output)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", action, body, err)
	}

	return nil
}
