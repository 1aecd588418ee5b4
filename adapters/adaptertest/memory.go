package adaptertest

import (
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
)

// inMemory lets a handler answer a request without a socket. A handler that gives
// up with http.ErrAbortHandler is a connection that was reset after the request
// was read.
func inMemory(h http.Handler, r *http.Request) (response *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // the very value, as in net/http
			response, err = nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
		} else if p != nil {
			panic(p)
		}
	}()
	served := r.Clone(r.Context())
	if served.Body == nil {
		served.Body = http.NoBody
	}
	defer served.Body.Close()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, served)
	response = w.Result()
	response.Request = r
	return response, nil
}
