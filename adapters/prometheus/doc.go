// Package prometheus reads a Prometheus server over its HTTP API: values at an
// instant, values over a range, and raw samples from which package slo counts
// events exactly.
//
//	client, err := prometheus.New(prometheus.Config{URL: "https://prometheus.example"})
//	if err != nil {
//		return err
//	}
//	counting := prometheus.Counting{
//		Bad:   func(l prometheus.Labels) bool { return strings.HasPrefix(l["code"], "5") },
//		Total: func(prometheus.Labels) bool { return true },
//		Every: 30 * time.Second,
//	}
//	samples, err := counting.Samples(client.Samples(ctx, `http_requests_total{job="api"}`, from, until))
//
// [Counting] turns the raw samples of several series into the counts that trackers and
// backtests take, [LatencyCounting] those of a classic histogram. Native histograms
// come in answers to queries, see [Histogram.AtMost].
//
// Answers are decoded while they arrive, by a decoder written for them. Raw
// samples keep their text: a counter beyond 2^53 is exact. An empty result is no
// data and no error; a NaN is a reading that is absent.
//
// [Client.Availability] asks how often a condition held and keeps apart what nobody
// knows. [Client.Rules], [Client.Alerts], [Client.Targets], [Client.Series] and their
// like say how the server stands.
//
// # Requests
//
// A query is a POST of a form, repeated as GET where a proxy refuses that with
// 403, 405 or 501. All goes through package resilience: reading changes nothing, so
// what may pass is tried again, but no query that the server gave up on as too slow.
// Answers are decoded below it, so that an answer that breaks off is asked for again,
// unless samples of it were passed on. Redirects are not followed, so that no
// credential goes to another host.
//
// # Limits
//
// Remote read is not spoken.
package prometheus
