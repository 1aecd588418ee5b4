package config

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
)

// Article is a piece of help for customers: knowledge or a known error of a service.
type Article struct {
	ID, Service, Title, Text string // Text is plain, paragraphs apart by an empty line; Service "" is all
	KnownError               bool
	Changed                  time.Time
}

type articlesFile struct {
	Version  int           `yaml:"version"`
	Articles []articleFile `yaml:"articles,required"`
}

type articleFile struct {
	ID         string    `yaml:"id,required"`
	Service    string    `yaml:"service"`
	Title      string    `yaml:"title,required"`
	Text       string    `yaml:"text,required"`
	KnownError bool      `yaml:"known_error"`
	Changed    time.Time `yaml:"changed"`
}

// ParseArticles reads a file of help for customers, in the order of the file.
// An id that stands twice is an error.
func ParseArticles(name string, data []byte) ([]Article, *Document, error) {
	var file articlesFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	ids := map[string]bool{}
	var list []Article
	for i, f := range file.Articles {
		path := fmt.Sprintf("articles[%d]", i)
		d.unique(ids, path+".id", f.ID)
		for _, part := range []struct{ key, text string }{{"id", f.ID}, {"title", f.Title}, {"text", f.Text}} {
			if at := diagnostic.Join(path, part.key); part.text == "" && d.has(at) && !d.failed(at) {
				d.Fail(at, "missing_field", "empty, want a text")
			}
		}
		list = append(list, Article(f))
	}
	return list, d, d.Err()
}
