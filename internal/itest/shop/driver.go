package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// drive sends rate requests a second to every address until ctx is over. It never waits for an answer before it sends the next
// request (an open loop, as customers are), and the pauses vary by half around their mean.
func drive(ctx context.Context, addresses []string, rate float64) {
	client := &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 128, IdleConnTimeout: time.Minute},
	}
	var wg sync.WaitGroup
	for _, address := range addresses {
		wg.Go(func() {
			mean := float64(time.Second) / rate
			due := time.Now()
			for {
				due = due.Add(time.Duration(mean * (0.5 + rand.Float64())))
				select {
				case <-ctx.Done():
					return
				case <-time.After(time.Until(due)):
				}
				wg.Go(func() { _, _ = fetch(ctx, client, address) })
			}
		})
	}
	wg.Wait()
}
