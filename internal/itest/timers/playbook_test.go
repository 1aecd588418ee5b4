package timers

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
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

// matrix counts crashes by the boundary at which they happened. Methods may be called concurrently.
type matrix struct {
	mu   sync.Mutex // guards rows
	rows map[string]*crashes
}

// crashes are those at boundaries of one name, and how the actions of their runs ended.
type crashes struct {
	count int
	ending
}

func (m *matrix) add(where string, e ending) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows[where] == nil {
		m.rows[where] = &crashes{}
	}
	row := m.rows[where]
	row.count++
	row.once, row.repeated, row.doubtful, row.lost = row.once+e.once, row.repeated+e.repeated, row.doubtful+e.doubtful, row.lost+e.lost
}

// TestPlaybookCrashMatrix runs the three playbooks with their 26 actions in a process that kills itself at one boundary, and
// goes on in another: at one boundary of each name, in the middle of the runs, with EVENKEEL_SOAK=1 at all, one after the other.
func TestPlaybookCrashMatrix(t *testing.T) {
	for _, system := range systems() {
		t.Run(system.name, func(t *testing.T) {
			m, boundaries := &matrix{rows: map[string]*crashes{}}, crashAt(t, system, 0, nil)
			kinds := map[string][]int{} // by name, from 1
			for i, name := range boundaries {
				kinds[name] = append(kinds[name], i+1)
			}
			if want := []string{"approved", "asked", "begun", "decided", "done", "reported", "timer claimed", "timer fired"}; !slices.Equal(slices.Sorted(maps.Keys(kinds)), want) {
				t.Fatalf("boundaries %v, want some of each of %v", boundaries, want)
			}
			var walk []int
			for _, places := range kinds {
				if os.Getenv("EVENKEEL_SOAK") == "" {
					places = places[len(places)/2 : len(places)/2+1]
				}
				walk = append(walk, places...)
			}
			slices.Sort(walk)
			var ran atomic.Int64
			t.Run("crashes", func(t *testing.T) {
				for _, boundary := range walk {
					t.Run(strconv.Itoa(boundary), func(t *testing.T) {
						t.Parallel()
						ran.Add(1)
						crashAt(t, system, boundary, m)
					})
				}
			})
			died := 0
			for _, row := range m.rows {
				died += row.count
			}
			// How often a timer is looked for depends on the time; so the last boundaries may not be reached.
			if died < int(ran.Load())*9/10 {
				t.Errorf("%d crashes, want one at nearly each of %d boundaries", died, ran.Load())
			}
			t.Logf("%s, %d of %d boundaries    actions: once  repeated  left to a person  lost", system.name, died, len(boundaries))
			for _, where := range slices.Sorted(maps.Keys(m.rows)) {
				row := m.rows[where]
				t.Logf("%-16s %3d crashes  %18d  %8d  %16d  %4d", where, row.count, row.once, row.repeated, row.doubtful, row.lost)
			}
		})
	}
}

// crashAt runs the playbooks in a process that dies at a boundary, and goes on in another. It returns the names of the
// boundaries that the first one passed: all of them for boundary 0, at which none dies.
func crashAt(t *testing.T, system system, boundary int, m *matrix) []string {
	t.Helper()
	dsn := system.make(t)
	store := openStore(t, system.name, dsn, nil)
	player, err := newPlayer(store, nil)
	if err != nil {
		t.Fatal(err)
	}
	begin(t, player)
	c := cues{System: system.name, DSN: dsn, Journal: filepath.Join(t.TempDir(), "journal"), Boundary: boundary, Signal: syscall.SIGKILL, Lease: time.Minute, Resume: true}
	end := rig.Again(t, stagehandEnv, c).Wait()
	var passed []string
	where := ""
	for _, d := range readDeeds(t, c.Journal) {
		switch d.what {
		case "passed":
			passed = append(passed, d.key)
		case "died":
			where = d.key
		}
	}
	if where == "" { // it lived to the end
		if end != nil {
			t.Fatalf("the process ended by %v", end)
		}
		if e := tally(t, player, readDeeds(t, c.Journal)); e.once < 25 {
			t.Errorf("without a crash: %+v", e)
		}
		return passed
	}
	c.Boundary = 0
	if err := rig.Again(t, stagehandEnv, c).Wait(); err != nil {
		t.Fatalf("boundary %d, %s: the second process: %v", boundary, where, err)
	}
	m.add(where, tally(t, player, readDeeds(t, c.Journal)))
	return passed
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
	c := cues{System: "sqlite", DSN: systems()[0].make(t), Journal: filepath.Join(t.TempDir(), "journal"), Signal: syscall.SIGKILL, Crowd: count}
	_ = rig.Again(t, stagehandEnv, c).Wait()
	if deeds := readDeeds(t, c.Journal); len(deeds) != 1 || deeds[0].what != "died" {
		t.Fatalf("journal of the process that was to die: %v", deeds)
	}

	start := time.Now()
	store := openStore(t, c.System, c.DSN, nil)
	player, err := sqlstore.NewPlayer(store, crowd(count))
	if err != nil {
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
	for _, s := range crowd(count).Playbooks.Services {
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
