// Package probe acts as a user does and says whether that works: it puts something
// into a cart, takes it out, puts another thing in and checks out, over HTTP.
//
// A [Journey] is data: steps with requests, what is taken from their answers into
// variables, and what has to hold of them. A [Prober] runs it once ([Prober.Probe]) or
// again and again ([Prober.Run]). A [Result] says for the journey and for each step
// whether it is up, down, or whether nothing is known because the monitor itself is at
// fault, with the times of name resolution, connection, TLS and first byte.
//
//	p, err := probe.New(probe.Config{
//		Journey: probe.Journey{Name: "buy", Steps: []probe.Step{
//			{Name: "add", Method: "POST", URL: "https://shop.example.com/cart", Body: `{"sku":"A1"}`,
//				Header:  map[string]string{"Content-Type": "application/json"},
//				Extract: []probe.Extract{{Name: "cart", JSON: "/id"}}},
//			{Name: "check out", Method: "POST", URL: "https://shop.example.com/cart/${cart}/order", Status: []int{201}},
//		}},
//		Interval: time.Minute,
//		Each: func(r probe.Result) { tracker.Observe(r.Sample().At, r.Sample().Counts) },
//	})
//
// # Up, down and no data
//
// A step is down when an answer is wrong, late or missing. It is no data when the
// question was never asked: the resolver of this machine does not answer, there are no
// file descriptors, memory or routes left, the guard has refused the address, or the
// caller has ended it. A name that does not exist is down, for users do not get there
// either. [Config.Control] tells more: it is asked after a failure whether this machine
// reaches anything at all. What is not known is never counted as good or bad; it is a
// missing sample.
//
// Nothing is tried again: a user who gets an error has got an error. The package keeps
// no browser: it runs no scripts and loads no images.
package probe
