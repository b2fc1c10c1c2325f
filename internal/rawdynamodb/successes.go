package rawdynamodb

import (
	"bytes"
	"context"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// SkipSuccesses keeps the SDK from decoding the answers of statements when all of them were
// carried out, as nearly always: it would allocate for each. Such an answer repeats the
// table's name for each statement, and says nothing else.
func SkipSuccesses(stack *middleware.Stack) error {
	if stack.ID() != "BatchExecuteStatement" {
		return nil
	}

	return stack.Deserialize.Insert(middleware.DeserializeMiddlewareFunc("SkipSuccesses",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
			middleware.DeserializeOutput, middleware.Metadata, error,
		) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			body, ok := ctx.Value(bodyKey{}).(*Body)
			answer, isHTTP := out.RawResponse.(*smithyhttp.Response)
			if err != nil || !ok || !isHTTP {
				return out, metadata, err
			}

			text, err := io.ReadAll(answer.Body)
			if err != nil {
				return out, metadata, err
			}
			if body.Succeeded = saysOnlySuccesses(text, body.Statements); body.Succeeded {
				text = []byte("{}")
			}
			answer.Body = readCloser{bytes.NewReader(text), answer.Body}

			return out, metadata, nil
		}), "OperationDeserializer", middleware.After)
}

type readCloser struct {
	io.Reader
	io.Closer
}

// saysOnlySuccesses reports whether an answer has one object for each statement in its
// own, and no error: {"Responses":[{"TableName":"table"},…]}.
func saysOnlySuccesses(answer []byte, statements int) bool {
	return bytes.HasPrefix(answer, []byte(`{"Responses":[`)) && bytes.HasSuffix(answer, []byte(`]}`)) &&
		bytes.Count(answer, []byte("{")) == 1+statements && !bytes.Contains(answer, []byte(`"Error"`))
}
