package timers

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/incident/playbook"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// ending is how the 26 actions of the three runs ended.
type ending struct{ once, repeated, doubtful, lost int }

// tally compares what was done with what is on record: an action that is not idempotent begins once, an idempotent one twice
// at most, and who did not succeed has had a person called.
func tally(t *testing.T, player *sqlstore.Player, deeds []deed) ending {
	t.Helper()
	effects, told := map[string]int{}, map[string]bool{}
	for _, d := range deeds {
		switch d.what {
		case "effect":
			effects[d.key]++
		case "told":
			told[d.key] = true
		}
	}
	var e ending
	actions, steps := playbook.DefaultActions(), 0
	for _, s := range stages {
		runs, err := player.Runs(t.Context(), s.service)
		if err != nil || len(runs) != 1 || !runs[0].Ended() {
			t.Fatalf("runs of %s: %+v, %v, want one that has ended", s.service, runs, err)
		}
		for _, step := range runs[0].Steps {
			steps++
			n := effects[step.Key]
			switch {
			case step.Status == playbook.Skipped: // the war room, at night
			case n > 1 && !actions[step.Action].Idempotent, n > 2:
				t.Errorf("%s was begun %d times", step.Action, n)
			case step.Status == playbook.Succeeded && n == 1:
				e.once++
			case step.Status == playbook.Succeeded && n == 2:
				e.repeated++
			case step.Status == playbook.Unsure && told[step.Key]:
				e.doubtful++
			default:
				e.lost++
				t.Errorf("%s: %s after %d effects, a person called: %v (%s)", step.Action, step.Status, n, told[step.Key], step.Why)
			}
		}
	}
	if steps != 26 {
		t.Errorf("%d steps, want 26", steps)
	}
	return e
}

// TestPlaybookCrashMatrix runs the three playbooks with their 26 actions in a process that kills itself at one boundary, and
// goes on in another, for one boundary after the other: every twenty-ninth, with EVENKEEL_SOAK=1 all.
func TestPlaybookCrashMatrix(t *testing.T) {
	every := 29
	if os.Getenv("EVENKEEL_SOAK") != "" {
		every = 1
	}
	for _, system := range systems() {
		t.Run(system.name, func(t *testing.T) {
			matrix := map[string]*struct {
				crashes int
				ending
			}{}
			crashes := 0
			for boundary := 1; ; boundary += every {
				dsn := system.make(t)
				store := openStore(t, system.name, dsn, nil)
				player, err := newPlayer(store, nil)
				if err != nil {
					t.Fatal(err)
				}
				begin(t, player)
				c := cues{System: system.name, DSN: dsn, Journal: filepath.Join(t.TempDir(), "journal"), Boundary: boundary, Signal: syscall.SIGKILL, Lease: time.Minute, Resume: true}
				_ = rig.Again(t, stagehandEnv, c).Wait()
				deeds := readDeeds(t, c.Journal)
				i := slices.IndexFunc(deeds, func(d deed) bool { return d.what == "died" })
				if i < 0 {
					if tally(t, player, deeds).once < 25 {
						t.Errorf("without a crash: %+v", tally(t, player, deeds))
					}
					break // it lived to the end: all boundaries are done
				}
				where := deeds[i].key
				c.Boundary = 0
				if err := rig.Again(t, stagehandEnv, c).Wait(); err != nil {
					t.Fatalf("boundary %d, %s: the second process: %v", boundary, where, err)
				}
				if matrix[where] == nil {
					matrix[where] = &struct {
						crashes int
						ending
					}{}
				}
				crashes++
				row, e := matrix[where], tally(t, player, readDeeds(t, c.Journal))
				row.crashes++
				row.once, row.repeated, row.doubtful, row.lost = row.once+e.once, row.repeated+e.repeated, row.doubtful+e.doubtful, row.lost+e.lost
			}
			t.Logf("%s, %d crashes    actions: once  repeated  left to a person  lost", system.name, crashes)
			for _, where := range slices.Sorted(maps.Keys(matrix)) {
				row := matrix[where]
				t.Logf("%-16s %3d crashes  %13d  %8d  %16d  %4d", where, row.crashes, row.once, row.repeated, row.doubtful, row.lost)
			}
		})
	}
}

// TestPlaybookTwoNodes has two processes share the runs. One is killed after an effect that it has not reported, or stopped
// before an effect until its lease is lost; the other repeats the action, which is idempotent, and goes on.
func TestPlaybookTwoNodes(t *testing.T) {
	for at, signal := range map[string]syscall.Signal{"done": syscall.SIGKILL, "begun": syscall.SIGSTOP} {
		t.Run(signal.String(), func(t *testing.T) {
			onBoth(t, func(t *testing.T, system, dsn string) {
				t.Helper()
				store := openStore(t, system, dsn, nil)
				player, err := newPlayer(store, nil)
				if err != nil {
					t.Fatal(err)
				}
				begin(t, player)
				c := cues{System: system, DSN: dsn, Journal: filepath.Join(t.TempDir(), "journal"), Lease: time.Second, Boundary: 1, At: at, Signal: signal}
				victim := rig.Again(t, stagehandEnv, c)
				eventually(t, time.Minute, "end of the first process", func() (bool, error) {
					return slices.ContainsFunc(readDeeds(t, c.Journal), func(d deed) bool { return d.what == "died" }), nil
				})
				c.Boundary = 0
				survivor := rig.Again(t, stagehandEnv, c)
				if err := survivor.Wait(); err != nil {
					t.Fatal(err)
				}
				if signal == syscall.SIGSTOP {
					if err := victim.Process.Signal(syscall.SIGCONT); err != nil {
						t.Fatal(err)
					}
				}
				_ = victim.Wait()
				e := tally(t, player, readDeeds(t, c.Journal))
				if e.repeated != 1 || e.once < 24 {
					t.Errorf("%+v, want one action repeated", e)
				}
				t.Logf("%s on %s: %+v", signal, system, e)
			})
		})
	}
}

// TestPlaybookResume resumes a thousand runs, with EVENKEEL_SOAK=1 ten thousand, each in the middle of its first action, from
// SQLite after the process was killed.
func TestPlaybookResume(t *testing.T) {
	count := 1000
	if os.Getenv("EVENKEEL_SOAK") != "" {
		count = 10_000
	}
	dsn := systems()[0].make(t)
	db := connect(t, "sqlite", dsn)
	store, err := sqlstore.Open(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	config := sqlstore.PlayerConfig{Playbooks: playbook.Config{Tenant: "acme", Book: playbook.DefaultBook()}}
	for i := range count {
		config.Playbooks.Services = append(config.Playbooks.Services, playbook.Service{ID: fmt.Sprintf("api-%05d", i), Type: "compute", Zone: "Europe/Amsterdam"})
	}
	player, err := sqlstore.NewPlayer(store, config)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	for batch := range slices.Chunk(config.Playbooks.Services, 1000) {
		err := store.Do(t.Context(), func(tx *sqlstore.Tx) error {
			for _, s := range batch {
				events := append(favourable(at), playbook.Event{Kind: playbook.Start, At: at, Playbook: "high_cpu_utilization", By: "ann"})
				for i := range events {
					events[i].Service = s.ID
				}
				if _, err := player.ApplyIn(t.Context(), tx, events...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// As a process leaves it that dies while it carries out all of them.
	if _, err := db.ExecContext(t.Context(), `UPDATE playbook_attempt SET begun = decided`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	start := time.Now()
	store = openStore(t, "sqlite", dsn, nil)
	if player, err = sqlstore.NewPlayer(store, config); err != nil {
		t.Fatal(err)
	}
	opened := time.Since(start)
	n, err := player.Resume(t.Context(), time.Now())
	took := time.Since(start)
	if err != nil || n != count {
		t.Fatalf("Resume = %d, %v, want %d", n, err, count)
	}
	t.Logf("playbooks: %d runs resumed from SQLite in %v, %v of it to open and compile", n, took.Round(time.Millisecond), opened.Round(time.Millisecond))
	pausing := 0
	for _, s := range config.Playbooks.Services {
		runs, err := player.Runs(t.Context(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if step := runs[0].Steps[0]; step.Status == playbook.Pausing && step.Attempt == 1 {
			pausing++
		}
	}
	if timers, err := store.Timers().Count(t.Context(), "acme"); err != nil || pausing != count || timers.Pending < count {
		t.Errorf("%d wait for the second attempt, timers %+v, %v, want %d and a timer for each", pausing, timers, err, count)
	}
}
