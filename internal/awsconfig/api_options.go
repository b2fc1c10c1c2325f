package awsconfig

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// APIOptions are for every client whose bodies the SDK writes. They keep an answer that comes very
// fast from being lost.
//
// The SDK closes the body of a request as soon as the answer's head is there. When net/http looks for
// the end of the body only then, the SDK's WriteTo answers io.EOF, which is an error there: net/http
// closes the connection, and the answer cannot be read. The SDK sends the request again, but what it did
// is done: a message that was received is hidden, a table that was created exists. The SDK's Read answers
// io.EOF too, which means the end there. Without a WriteTo in the body, net/http uses Read.
// Seen with smithy-go 1.28.9 and endpoints on the same machine.
var APIOptions = []func(*middleware.Stack) error{plainBody}

func plainBody(stack *middleware.Stack) error {
	return stack.Build.Add(middleware.BuildMiddlewareFunc("PlainBody",
		func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (
			middleware.BuildOutput, middleware.Metadata, error,
		) {
			request, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return middleware.BuildOutput{}, middleware.Metadata{}, fmt.Errorf("a request of type %T", in.Request)
			}
			if body, ok := request.GetStream().(io.ReadSeeker); ok {
				var err error
				if in.Request, err = request.SetStream(struct{ io.ReadSeeker }{body}); err != nil {
					return middleware.BuildOutput{}, middleware.Metadata{}, err
				}
			}
			return next.HandleBuild(ctx, in)
		}), middleware.After)
}
