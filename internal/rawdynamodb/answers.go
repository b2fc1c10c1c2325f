package rawdynamodb

import (
	"bytes"
	"context"
	"io"
	"slices"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// KeepAnswers keeps the SDK from decoding successful answers: their texts are in the Answer of
// their requests' bodies.
func KeepAnswers(stack *middleware.Stack) error {
	return stack.Deserialize.Insert(middleware.DeserializeMiddlewareFunc("KeepAnswers",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
			middleware.DeserializeOutput, middleware.Metadata, error,
		) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			body, ok := ctx.Value(bodyKey{}).(*Body)
			answer, isHTTP := out.RawResponse.(*smithyhttp.Response)
			if err != nil || !ok || !isHTTP || answer.StatusCode < 200 || answer.StatusCode >= 300 {
				return out, metadata, err
			}

			body.Answer, err = readInto(body.Answer[:0], answer.Body, answer.ContentLength)
			if err != nil {
				return out, metadata, err
			}
			// Closing checks the answer's checksum, which the SDK has computed by now.
			answer.Body = readCloser{bytes.NewReader([]byte("{}")), answer.Body}

			return out, metadata, nil
		}), "OperationDeserializer", middleware.After)
}

// readInto appends what r holds to dst. length is how much that probably is, or negative.
func readInto(dst []byte, r io.Reader, length int64) ([]byte, error) {
	dst = slices.Grow(dst, int(max(length, 0))+bytes.MinRead)
	for {
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, bytes.MinRead)
		}
	}
}
