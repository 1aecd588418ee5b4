package evidence_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// reader reads a log.
type logReader func(open func(name string) (io.ReadCloser, error), name string, begin func() (evidence.Take, error)) (evidence.Result, error)

// arrived reads a log and returns what was handed over last, and how often that began.
func arrived(read logReader, open func(string) (io.ReadCloser, error)) (log []replay.Arrival, ids map[evidence.ID]bool, begun int, err error) {
	_, err = read(open, "log", func() (evidence.Take, error) {
		begun++
		log, ids = nil, map[evidence.ID]bool{}
		return func(a replay.Arrival, id evidence.ID) error {
			log, ids[id] = append(log, a), true
			return nil
		}, nil
	})
	return log, ids, begun, err
}

// line is a row of a log; n is in its labels.
func line(second, n int) string {
	return fmt.Sprintf(`{"time":"2026-10-01T00:%02d:%02dZ","alert":"a.b","status":"firing","labels":{"n":"%d"}}`, second/60, second%60, n)
}

// Rows in any order are handed over by instant and then as they stand, out of a file and
// out of what can be read once. Blank lines, carriage returns and a mark of the byte order
// do not shift their places.
func TestAlertsInAnyOrder(t *testing.T) {
	const n = 500
	random := rand.New(rand.NewPCG(5, 6))
	seconds := make([]int, n)
	var text strings.Builder
	text.WriteString("\ufeff")
	for i := range seconds {
		seconds[i] = random.IntN(600)
		text.WriteString(line(seconds[i], i))
		text.WriteString([]string{"\n", "\r\n", "\n\n", " \n\t\n"}[random.IntN(4)])
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return seconds[a] - seconds[b] })
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(strings.TrimRight(text.String(), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func(string) (io.ReadCloser, error){
		"file": func(string) (io.ReadCloser, error) { return os.Open(path) },
		"pipe": func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text.String())), nil },
	} {
		log, ids, begun, err := arrived(evidence.Alerts, open)
		if err != nil || len(log) != n || len(ids) != n || begun != 2 {
			t.Fatalf("%s: %d rows of %d alerts, begun %d times, %v", name, len(log), len(ids), begun, err)
		}
		for i, a := range log {
			if want := strconv.Itoa(order[i]); a.Labels["n"] != want {
				t.Fatalf("%s: row %d is %s, want %s", name, i, a.Labels["n"], want)
			}
		}
	}
}

// A body of several alerts, each with an instant of its own, is taken apart.
func TestWebhooksInAnyOrder(t *testing.T) {
	body := func(seconds ...int) string {
		var alerts []string
		for _, s := range seconds {
			alerts = append(alerts, fmt.Sprintf(`{"status":"firing","labels":{"alertname":"a%d"},"startsAt":"2026-10-01T00:00:%02dZ"}`, s, s))
		}
		return `{"alerts":[` + strings.Join(alerts, ",") + "]}\n"
	}
	text := body(5, 1, 9) + body(3) + body(7, 2)
	log, _, begun, err := arrived(evidence.Webhooks, func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil })
	var got []int
	for _, a := range log {
		got = append(got, a.At.Second())
	}
	if want := []int{1, 2, 3, 5, 7, 9}; err != nil || begun != 2 || !slices.Equal(got, want) {
		t.Errorf("%v, begun %d times, %v, want %v", got, begun, err, want)
	}
}

// padded is a log of more than what is held of a pipe: in order but for a row at the end.
func padded(last int) io.Reader {
	rows := []io.Reader{}
	for i := range 20 {
		rows = append(rows, strings.NewReader(strings.Repeat(" ", 1<<20-200)+line(i, i)+"\n"))
	}
	return io.MultiReader(append(rows, strings.NewReader(line(last, 99)+"\n"))...)
}

// What can be read once and is too large to be held is fine in order, and refused with the
// place of the first row that is not.
func TestLargePipes(t *testing.T) {
	for last, want := range map[int]string{30: "", 10: fmt.Sprintf("log:21: time: earlier than the row before it: want rows in order of arrival, or a file and not a pipe, of more than %d bytes", program.MaxFile)} {
		log, _, begun, err := arrived(evidence.Alerts, func(string) (io.ReadCloser, error) { return io.NopCloser(padded(last)), nil })
		if want == "" && (err != nil || len(log) != 21 || begun != 1) || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("last row at %d s: %d rows, begun %d times, %v, want %q", last, len(log), begun, err, want)
		}
	}
}

// A line has an end, in the file and at its end; the problems of the rows before it are told
// as well. An error of what takes the rows comes after those of the file.
func TestAlertLines(t *testing.T) {
	bad := errors.New("bad")
	for _, c := range []struct {
		text string
		want string
	}{
		{line(1, 1) + "\n{}\n" + strings.Repeat("x", 1<<20+1), "log:2: time: missing\nlog:2: alert: missing\nlog:2: status: missing\nlog:3: want lines of at most 1048576 bytes"},
		{line(1, 1) + "\n" + strings.Repeat(" ", 1<<20-200) + line(2, 2) + "\n" + line(3, 3), "bad"},
		{"", ""},
		{"\x1f\x8b\x08", "log: found a file in the format of gzip, want text: unpack it first"},
	} {
		_, err := evidence.Alerts(func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(c.text)), nil }, "log", func() (evidence.Take, error) {
			return func(a replay.Arrival, _ evidence.ID) error {
				if a.Labels["n"] == "3" {
					return bad
				}
				return nil
			}, nil
		})
		if got := fmt.Sprint(errors.Join(err)); c.want == "" && err != nil || c.want != "" && got != c.want {
			t.Errorf("%.40q: %v, want %q", c.text, err, c.want)
		}
	}
}

// Checks in any order become the same alerts.
func TestCheckAlertsInAnyOrder(t *testing.T) {
	rows := []string{"00,a,up", "01,a,down", "01,b,unknown", "02,a,degraded", "03,b,up", "04,a,up"}
	want := []string{"1 firing a", "1 firing b", "3 resolved b", "4 resolved a"}
	for _, order := range [][]int{{0, 1, 2, 3, 4, 5}, {5, 1, 4, 2, 0, 3}} {
		text := "time,service,status\n"
		for _, i := range order {
			text += "2026-10-01T00:00:" + rows[i] + "\n"
			text = strings.Replace(text, rows[i], rows[i][:2]+"Z"+rows[i][2:], 1)
		}
		log, ids, _, err := arrived(evidence.CheckAlerts, func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil })
		var got []string
		for _, a := range log {
			got = append(got, fmt.Sprint(a.At.Sub(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)).Seconds(), " ", a.Status, " ", a.Labels["service"]))
		}
		if err != nil || !slices.Equal(got, want) || len(ids) != 2 {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}
