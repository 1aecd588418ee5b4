package streams

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
)

// numbered are batches from one number up to but not including another, each with an ID.
func numbered(first, end int) []stream.Batch {
	var list []stream.Batch
	for n := first; n < end; n++ {
		at := time.Unix(int64(1_700_000_000+n), 0).UTC()
		list = append(list, stream.Batch{ID: fmt.Sprint("id-", n), At: at, Events: []correlation.Event{{
			Tenant: "acme", Alert: "platform.db_slow", Status: correlation.Firing, Time: at, Labels: map[string]string{"n": strconv.Itoa(n)},
		}}})
	}
	return list
}

// wantNumbers reads a partition and compares.
func wantNumbers(t *testing.T, log stream.Log, partition int, want []int) {
	t.Helper()
	after := int64(0)
	for k := 0; k < len(want); {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		records, err := log.Read(ctx, partition, after)
		cancel()
		if err != nil {
			t.Fatalf("partition %d: %v after %d records of %d", partition, err, k, len(want))
		}
		for _, r := range records {
			if k == len(want) || r.Err != nil || r.Events[0].Labels["n"] != strconv.Itoa(want[k]) {
				t.Fatalf("partition %d: record %d is %v (%v), want %d of %d", partition, k, r.Events, r.Err, want[min(k, len(want)-1)], len(want))
			}
			after = r.Offset
			k++
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if records, _ := log.Read(ctx, partition, after); len(records) > 0 {
		t.Errorf("partition %d has %d records more than %d", partition, len(records), len(want))
	}
}

// sequence is the numbers from 0 up to but not including n.
func sequence(n int) []int {
	list := make([]int, n)
	for k := range list {
		list[k] = k
	}
	return list
}

// TestManyAtOnce appends so many batches that a store takes them together: they stand in order, those that are known are
// dropped wherever they stand among the others, and the offset is that of the last, known or not.
func TestManyAtOnce(t *testing.T) {
	onAll(t, func(t *testing.T, where address) {
		t.Helper()
		log := where.mustOpen(t)
		add := func(partition int, list []stream.Batch) int64 {
			t.Helper()
			offset, err := log.Append(t.Context(), partition, list...)
			if err != nil {
				t.Fatal(err)
			}
			return offset
		}
		last := add(3, numbered(0, 600))
		if again := add(3, numbered(0, 600)); again != last {
			t.Errorf("the same again ends at %d, want %d", again, last)
		}
		if again := add(3, numbered(550, 650)); again <= last {
			t.Errorf("50 more end at %d, want more than %d", again, last)
		}
		if again := add(3, append(numbered(650, 700), numbered(0, 600)...)); again != last {
			t.Errorf("50 more before what is known end at %d, want %d", again, last)
		}
		if _, err := log.Append(t.Context(), 3, append(numbered(700, 800), stream.Batch{Events: []correlation.Event{{}}})...); err == nil {
			t.Error("a batch that cannot be stored among others: want an error")
		}
		wantNumbers(t, log, 3, sequence(700))
		if got := add(19, numbered(0, 20)); got <= 0 { // the same IDs in another partition
			t.Errorf("offset %d, want more than 0", got)
		}
		wantNumbers(t, log, 19, sequence(20))
	})
}

// TestManyAtOnceFromAll lets several writers append to partitions of one stream at a time, each in order.
func TestManyAtOnceFromAll(t *testing.T) {
	onAll(t, func(t *testing.T, where address) {
		t.Helper()
		var writers sync.WaitGroup
		log := where.mustOpen(t)
		for w := range 8 {
			own := where.mustOpen(t)
			writers.Go(func() {
				for n := 0; n < 1000; n += 100 {
					if _, err := own.Append(t.Context(), 16*w, numbered(n, n+100)...); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		for w := range 8 {
			wantNumbers(t, log, 16*w, sequence(1000))
		}
	})
}

// TestManyAtOnceCrash kills NATS again and again while batches are appended, many at once. What failed is appended again under
// the same IDs: all of it is there in the end, once, and what was appended without an error is in order. (PostgreSQL takes what
// is appended in one transaction.)
func TestManyAtOnceCrash(t *testing.T) {
	where := systems["jetstream"](t)
	log := where.mustOpen(t)
	const partition, all, part, crashes = 5, 20_000, 200, 5
	failed, done := 0, make(chan error, 1)
	soon := make(chan struct{}, 1) // a fifth more is under way
	go func() {
		for n := 0; n < all; n += part {
			if n%(all/crashes) == part { // the first to be appended after this is hit
				soon <- struct{}{}
			}
			for until := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				_, err := log.Append(ctx, partition, numbered(n, n+part)...)
				cancel()
				if err == nil {
					break
				}
				if failed++; time.Now().After(until) {
					done <- err
					return
				}
			}
		}
		done <- nil
	}()
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		case <-soon:
			crash(t, where)
		}
	}
	// A part that was tried again may have what was missing behind the rest, but parts follow each other.
	after, seen := int64(0), map[int]bool{}
	for len(seen) < all {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		records, err := log.Read(ctx, partition, after)
		cancel()
		if err != nil {
			t.Fatalf("%d of %d records: %v", len(seen), all, err)
		}
		for _, r := range records {
			n, err := strconv.Atoi(r.Events[0].Labels["n"])
			if err != nil || seen[n] || n/part != len(seen)/part {
				t.Fatalf("record %d is number %d (%v), seen before: %v", len(seen), n, err, seen[n])
			}
			seen[n], after = true, r.Offset
		}
	}
	if failed == 0 {
		t.Error("no append failed, so no crash was felt")
	}
	t.Logf("%d batches in %d crashes, 0 lost, 0 twice; %d appends failed", all, crashes, failed)
}
