package streams

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/evenkeelops/evenkeel/internal/itest/natsd"
)

// TestBridgeDiskFull fills the disk of a bridge on SQLite while alerts come in. What does not fit is refused with a 503, on
// which Alertmanager sends again; what was taken is told; and when there is room again the same process goes on.
func TestBridgeDiskFull(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("a disk of 24 MB cannot be mounted, which wants root and CAP_SYS_ADMIN: %v; TestDiskFull of adapters/sqlstore and adapters/stream/sqlite run everywhere", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	b := newBridges(t, fmt.Sprintf("database: %q\n", filepath.Join(disk, "bridge.db")))
	begin := time.Now().Add(-time.Minute)
	all := 0
	for ; all < 20; all++ {
		b.post(all, begin, time.Time{})
	}
	eventually(t, patience, func() error { return b.have(all) })

	empty := fillDisk(t, disk)
	taken, refused := 0, []int{}
	for ; all < 60 || len(refused) == 0 && all < 1000; all++ { // a log ahead of the database may have room left
		switch status, err := b.try(0, all, begin, time.Time{}); {
		case err != nil:
			t.Fatalf("alert %d on a full disk: %v, want an answer", all, err)
		case status == http.StatusAccepted:
			taken++
		case status == http.StatusServiceUnavailable:
			refused = append(refused, all)
		default:
			t.Errorf("alert %d on a full disk: status %d, want 202 or 503", all, status)
		}
	}
	if len(refused) == 0 {
		t.Error("all alerts were taken, want some that did not fit")
	}
	if said := b.logs[0].String(); !strings.Contains(said, "full") {
		t.Errorf("the log says %.2000s; want that the disk is full", said)
	}
	empty()
	for _, n := range refused {
		b.post(n, begin, time.Time{})
	}
	eventually(t, patience, func() error { return b.have(all) })
	for n := range all {
		b.post(n, begin, time.Now())
	}
	b.toldAll(all)
	t.Logf("disk full: %d alerts taken and %d refused with 503", taken, len(refused))
}

// TestBridgeStreamFull has no room in the JetStream of a bridge while alerts come in: because another stream has all that the
// server may have, and because the disk is full. What does not fit is refused with a 503 and an error that says why, what was
// taken is told, and the bridge goes on by itself when there is room again. After a full disk the server, which takes nothing
// more, must be started again.
func TestBridgeStreamFull(t *testing.T) {
	for _, full := range []string{"stream", "disk"} {
		t.Run(full, func(t *testing.T) {
			disk := t.TempDir()
			if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=48m"); err != nil {
				t.Skipf("a disk of 48 MB cannot be mounted, which wants root and CAP_SYS_ADMIN: %v", err)
			}
			t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
			server, err := natsd.Start(t.Context(), os.Stderr, disk)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { server.Stop() })
			b := newBridges(t, fmt.Sprintf("database: %q\nstream: %q\n", filepath.Join(t.TempDir(), "bridge.db"), server.URL))
			begin := time.Now().Add(-time.Minute)
			all := 0
			for ; all < 20; all++ {
				b.post(all, begin, time.Time{})
			}
			eventually(t, patience, func() error { return b.have(all) })

			var empty func()
			want := "insufficient resources"
			if full == "stream" {
				empty = fillStream(t, server.URL)
			} else {
				empty, want = fillDisk(t, disk), "as one whose disk is full"
			}
			taken, refused := 0, []int{}
			for ; len(refused) < 3 && all < 1000; all++ { // a file may have room left
				switch status, err := b.try(0, all, begin, time.Time{}); {
				case err != nil:
					t.Fatalf("alert %d: %v, want an answer", all, err)
				case status == http.StatusAccepted:
					taken++
				case status == http.StatusServiceUnavailable:
					refused = append(refused, all)
				default:
					t.Errorf("alert %d: status %d, want 202 or 503", all, status)
				}
			}
			if len(refused) < 3 {
				t.Errorf("%d alerts were refused, want 3", len(refused))
			}
			if said := b.logs[0].String(); !strings.Contains(said, want) {
				t.Errorf("the log says %.2000s; want %q", said, want)
			}
			empty()
			if full == "disk" {
				if err := server.Restart(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for _, n := range refused {
				b.post(n, begin, time.Time{})
			}
			eventually(t, patience, func() error { return b.have(all) })
			for n := range all {
				b.post(n, begin, time.Now())
			}
			b.toldAll(all)
			t.Logf("%s full: %d alerts taken and %d refused with 503", full, taken, len(refused))
		})
	}
}

// fillDisk leaves no byte on a disk, and returns what gives them back.
func fillDisk(t *testing.T, disk string) (empty func()) {
	t.Helper()
	ballast := filepath.Join(disk, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil { // the last pages too
		_, err = f.Write(make([]byte, 512))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	_ = f.Close()
	return func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
}

// fillStream fills a stream until the server takes nothing more, and returns what deletes it.
func fillStream(t *testing.T, address string) (empty func()) {
	t.Helper()
	nc, err := nats.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	stream, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ballast", Subjects: []string{"ballast"}}); err != nil {
		t.Fatal(err)
	}
	size := 512 << 10
	for range 10_000 {
		if _, err = stream.Publish(t.Context(), "ballast", make([]byte, size)); err != nil {
			if size == 1 {
				break
			}
			size /= 2
		}
	}
	if api, ok := errors.AsType[*jetstream.APIError](err); !ok {
		t.Fatalf("a server that is full: %v, want an answer", err)
	} else {
		t.Log(api)
	}
	return func() {
		if err := stream.DeleteStream(t.Context(), "ballast"); err != nil {
			t.Fatal(err)
		}
	}
}
