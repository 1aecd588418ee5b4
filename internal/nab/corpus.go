package nab

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Series is a file of the corpus.
type Series struct {
	// Name is that of the labels: folder/file.csv.
	Name string
	// At and Values are the rows as they stand, also where time goes back. Instants have no
	// zone in the files and are taken for UTC.
	At     []time.Time
	Values []float64
	// Windows are index pairs, both ends within; an end is the first row with its instant.
	Windows [][2]int
}

// ReadCorpus reads the files that windows.json names and that are there, sorted by name;
// windows.json lies in the folder or, as in the repository of the benchmark, in labels
// beside data.
func ReadCorpus(folder string) ([]Series, error) {
	labels, err := os.ReadFile(filepath.Join(folder, "windows.json"))
	data := folder
	if err != nil {
		if labels, err = os.ReadFile(filepath.Join(folder, "labels", "combined_windows.json")); err != nil {
			return nil, err
		}
		data = filepath.Join(folder, "data")
	}
	var windows map[string][][2]string
	if err := json.Unmarshal(labels, &windows); err != nil {
		return nil, err
	}
	var corpus []Series
	for name, spans := range windows {
		s := Series{Name: name}
		err := s.read(filepath.Join(data, filepath.FromSlash(name)))
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = s.label(spans)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		corpus = append(corpus, s)
	}
	slices.SortFunc(corpus, func(a, b Series) int { return strings.Compare(a.Name, b.Name) })
	if len(corpus) == 0 {
		return nil, fmt.Errorf("no file of windows.json is in %s", folder)
	}
	return corpus, nil
}

// read reads a CSV of timestamp and value, gzipped or not.
func (s *Series) read(path string) error {
	file, err := os.Open(path)
	var r io.Reader = file
	if os.IsNotExist(err) {
		if file, err = os.Open(path + ".gz"); err != nil {
			return err
		}
		if r, err = gzip.NewReader(file); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	defer file.Close()
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return err
	}
	if len(rows) == 0 || len(rows[0]) != 2 {
		return errors.New("no header of timestamp and value")
	}
	for _, row := range rows[1:] {
		at, err := time.Parse(time.DateTime, row[0])
		if err != nil {
			return err
		}
		v, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return err
		}
		s.At, s.Values = append(s.At, at), append(s.Values, v)
	}
	return nil
}

// label finds the windows: an end is the first row with its timestamp.
func (s *Series) label(spans [][2]string) error {
	for _, span := range spans {
		var w [2]int
		for i, text := range span {
			at, err := time.Parse("2006-01-02 15:04:05.000000", text)
			if err != nil {
				return err
			}
			if w[i] = slices.IndexFunc(s.At, at.Equal); w[i] < 0 {
				return fmt.Errorf("no row at %s, where a window ends or begins", text)
			}
		}
		s.Windows = append(s.Windows, w)
	}
	return nil
}
