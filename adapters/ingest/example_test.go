package ingest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
)

// A sender repeats what it has had no answer to; the receiver hands it on once.
func Example() {
	signature := ingest.Generic(adapters.NewSecret("whsec-new"), adapters.NewSecret("whsec-old"))
	queue := ingest.NewQueue(1000)
	handler, err := ingest.New(ingest.Config{
		Name:     "servicenow",
		Verifier: signature,
		Keys:     ingest.HeaderKey(ingest.IDHeader),
		Accept:   queue.Put,
	})
	if err != nil {
		panic(err)
	}
	body := `{"number":"INC0010001"}`
	for _, sign := range []string{signature.Sign([]byte(body)), signature.Sign([]byte(body)), "v1=00"} {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/hooks/servicenow", strings.NewReader(body))
		r.Header.Set(ingest.IDHeader, "9c573169-7")
		r.Header.Set(ingest.SignatureHeader, sign)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	d, err := queue.Take(context.Background())
	fmt.Println(string(d.Body), err, queue.Len())
	// Output:
	// 202
	// 202
	// 401
	// {"number":"INC0010001"} <nil> 0
}
