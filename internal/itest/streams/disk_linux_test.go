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
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
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
