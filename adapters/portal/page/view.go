package page

import (
	"bytes"
	"embed"
	"html/template"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/internal/locale"
	"github.com/evenkeelops/evenkeel/sla"
)

//go:embed templates/page.html words/*.json
var files embed.FS

// catalogue holds the words of all languages.
var catalogue = sync.OnceValue(func() locale.Catalogue {
	c, err := locale.Load(files, "words")
	if err != nil {
		panic("page: " + err.Error()) // the files are part of the program
	}
	return c
})

// layouts holds the template of pages with the words of each language.
var layouts = sync.OnceValue(func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, tag := range locale.Tags() {
		w := catalogue().In(tag)
		all[tag] = template.Must(template.New("").Funcs(template.FuncMap{
			"t": w.Text, "n": w.Count, "blocks": func(list []block) template.HTML { return markup(w, list) },
		}).ParseFS(files, "templates/page.html"))
	}
	return all
})

// view is a page as its template takes it, with the words and forms that the builders
// of pages use.
type view struct {
	Lang, Title, Owner, Brand string
	Logo, Root, Feed          string // addresses, from the page on
	Refresh                   string // seconds
	Wide                      bool   // many columns
	Nav                       []link
	Stale                     string
	Now                       when
	Lead                      *mark
	Intro                     []block
	Form                      *form // below the introduction
	Sections                  []section
	Body                      template.HTML // a fragment of package report
	Sources                   []report.Source
	Digest                    string
	Languages                 []language

	words   locale.Words
	form    *locale.Locale
	zone    *time.Location
	options Options

	// What was looked up for the page so far: by month and service, and by id.
	promised []map[string]*sla.ServiceReport
	byID     map[string]*Incident
	outages  map[string][]*sla.Outage
	names    map[string]string // of the services of of
	of       *Tenant

	static bool
	home   string // the folder of the customer, from the page on
	ids    map[string]int
}

type link struct {
	Href, Text string
	Current    bool
}

type language struct {
	Tag, Name, Href string
	Current         bool
}

// section is a headed part of a page.
type section struct {
	ID, Title string
	Blocks    []block
}

// block is one of its fields.
type block struct {
	Text    string
	Head    *heading
	Notice  *mark
	Tiles   []tile
	Facts   []fact
	Table   *table
	Figure  *figure
	Events  []event
	List    []cell
	Details *details
}

type heading struct{ ID, Text string }

// when is an instant as it is shown; without ISO there is none.
type when struct{ ISO, Text string }

// mark is a state in words, with its glyph and the class of its colour.
type mark struct{ Class, Glyph, Word string }

type tile struct {
	Label, Value, Note string
	Mark               mark // Word is not shown: the value or note says it
}

type fact struct {
	Name string
	Cell cell
}

type table struct {
	Caption string
	Quiet   bool // the caption is that of the heading above, and only read out
	Columns []column
	Rows    [][]cell
}

type column struct {
	Title   string
	Numeric bool
}

// cell is what a cell of a table, or an item of a list, holds: all that is set, in the
// order of the fields.
type cell struct {
	Mark    *mark
	Text    string
	Href    string // of the text
	Struck  bool
	Code    bool
	Times   []when
	Meter   *meter
	Drawing template.HTML // of package report
	Sub     string        // a second line
}

type meter struct{ Value, Label string }

type figure struct {
	ID, Title, Summary string
	SVG                template.HTML // of package report
	Keys               []string      // names of the series
	Data               *table
}

type event struct {
	At   when
	Text string
}

type details struct {
	Summary string
	Blocks  []block
}

type form struct {
	Method, Action, Button string
	Fields                 []field
}

type field struct {
	Name, Label, Type, Value string
	Long, Required           bool
	Choices                  []choice
}

type choice struct{ Value, Text string }

// newView returns an empty page in a language.
func newView(tag string, zone *time.Location, now time.Time, o Options) *view {
	if l, ok := locale.Of(o.Locale); ok && o.Locale != "" {
		tag = l.Tag()
	}
	w := catalogue().In(tag)
	v := &view{words: w, form: w.Locale(), zone: zone, static: o.Static, ids: map[string]int{}}
	v.Lang = v.form.Tag()
	v.Now = v.time(now)
	if o.Wall > 0 {
		v.Refresh = strconv.Itoa(max(1, int(o.Wall/time.Second)))
	}
	return v
}

// write renders the page. What XML cannot hold becomes U+FFFD.
func (v *view) write(w io.Writer) error {
	var b bytes.Buffer
	b.Grow(64 << 10)
	if err := layouts()[v.Lang].ExecuteTemplate(&b, "page", v); err != nil {
		return err
	}
	_, err := w.Write(wellFormed(b.Bytes()))
	return err
}

// wellFormed replaces what is no character of XML 1.0, production 2.
func wellFormed(page []byte) []byte {
	legal := func(r rune, size int) bool {
		switch {
		case r == utf8.RuneError:
			return size > 1
		case r < ' ':
			return r == '\t' || r == '\n' || r == '\r'
		}
		return r != 0x7f && r != 0xfffe && r != 0xffff
	}
	ok := true
	for i := 0; ok && i < len(page); {
		if c := page[i]; c >= ' ' && c < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(page[i:])
		ok = legal(r, size)
		i += size
	}
	if ok {
		return page
	}
	out := make([]byte, 0, len(page)+64)
	for i := 0; i < len(page); {
		r, size := utf8.DecodeRune(page[i:])
		if !legal(r, size) {
			r = utf8.RuneError
		}
		out = utf8.AppendRune(out, r)
		i += size
	}
	return out
}

func (v *view) t(key string, args ...any) string { return v.words.Text(key, args...) }

func (v *view) n(key string, n int, args ...any) string { return v.words.Count(key, n, args...) }

// known returns the word for a value of an enumeration, and the value itself where
// there is none: contracts may name causes and kinds of their own.
func (v *view) known(prefix, value string) string {
	if value == "" {
		return ""
	}
	if key := prefix + "." + value; v.words.Has(key) {
		return v.t(key)
	}
	return strings.ReplaceAll(value, "_", " ")
}

// time is an instant in the zone of the page; the zero time is none.
func (v *view) time(t time.Time) when {
	if t.IsZero() {
		return when{}
	}
	t = t.In(v.zone)
	return when{t.Format(time.RFC3339), v.form.Time(t)}
}

// date is a day like "2026-10-14" as it is read; another text is returned as it is.
func (v *view) date(text string) when {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return when{}
	}
	return when{text, v.form.Date(d)}
}

// month is a month like "2026-10" as it is read.
func (v *view) month(text string) string {
	m, err := time.Parse("2006-01", text)
	if err != nil {
		return text
	}
	return v.form.Month(m)
}

func (v *view) shortMonth(text string) string {
	m, err := time.Parse("2006-01", text)
	if err != nil {
		return text
	}
	return v.form.ShortMonth(m)
}

// length is a duration to the second.
func (v *view) length(d time.Duration) string { return v.form.Duration(d.Truncate(time.Second)) }

func (v *view) number(n int) string { return v.form.Number(strconv.Itoa(n)) }

func (v *view) count(n uint64) string { return v.form.Number(strconv.FormatUint(n, 10)) }

// mark is a state with the word of a key.
func (v *view) mark(s report.State, word string) *mark {
	return &mark{class(s), s.Glyph(), word}
}

// class is the name of a state in the style sheet.
func class(s report.State) string { return strings.ReplaceAll(string(s), " ", "-") }

// noData is what a figure shows that is not known.
func (v *view) noData() *mark { return v.mark(report.NoData, v.t("state.no_data")) }

// overdue or not: the instant with a word behind it.
func (v *view) due(t, now time.Time) cell {
	c := cell{Times: []when{v.time(t)}}
	if !t.IsZero() && t.Before(now) {
		c.Mark = v.mark(report.Bad, v.t("overdue"))
	}
	return c
}

// add appends a section.
func (v *view) add(id, title string, blocks ...block) {
	for _, b := range blocks {
		if b.Table != nil && b.Table.Caption == title {
			b.Table.Quiet = true
		}
	}
	v.Sections = append(v.Sections, section{v.id(id), title, blocks})
}

// id returns a name that is unique on the page and a word.
func (v *view) id(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, name)
	v.ids[name]++
	if n := v.ids[name]; n > 1 {
		return v.id(name + "-" + strconv.Itoa(n))
	}
	return name
}

// address returns an address that may stand in a link, or "": a path, or one of the
// web or of mail.
func address(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		if u.Host != "" {
			return text
		}
	case "mailto":
		return text
	case "":
		// Browsers take any number of slashes for the begin of a host.
		if u.Host == "" && !strings.ContainsRune(text, '\\') && !strings.HasPrefix(strings.TrimSpace(text), "//") {
			return text
		}
	}
	return ""
}

// to is a cell with a link, or with the text alone where the address is none.
func to(href, text string) cell {
	if href == "" {
		return cell{Text: text}
	}
	return cell{Text: text, Href: href}
}

func text(s string) cell { return cell{Text: s} }

// texts are columns of a table; a title that begins with ">" is of numbers.
func (v *view) columns(keys ...string) []column {
	list := make([]column, len(keys))
	for i, key := range keys {
		name, numeric := strings.CutPrefix(key, ">")
		list[i] = column{v.t(name), numeric}
	}
	return list
}

// paragraphs parts a text at empty lines.
func paragraphs(text string) []block {
	var list []block
	for p := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			list = append(list, block{Text: p})
		}
	}
	return list
}

func svg(drawing string) template.HTML { return template.HTML(drawing) } //nolint:gosec // package report escapes what it draws
