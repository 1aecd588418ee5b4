// Package logs finds the templates of log lines, counts them, and tells which are
// new, rare, surging or gone, and which of them set an incident apart.
//
// A [Miner] takes lines one by one and answers with the template each belongs to:
// [Miner.Learn] changes templates where it has to, [Miner.Match] only looks. A
// [Watch] counts the answers per template and window and returns a [Finding] for
// what is odd. [Separate] ranks the templates by how much they differ between the
// lines of an incident and those before it, the list that goes to development.
// [Redact] uses the masks alone.
//
//	m, err := logs.NewMiner(nil)
//	if err != nil {
//		return err
//	}
//	w, err := logs.NewWatch(&logs.WatchOptions{Season: 24 * time.Hour})
//	if err != nil {
//		return err
//	}
//	for _, line := range lines {
//		for _, f := range w.Add(line.At, m.Learn(line.At, line.Text)) {
//			t, _ := m.Template(f.ID)
//			fmt.Println(f.Kind, f.Lines, "lines,", f.Expected, "expected:", t.Text)
//		}
//	}
//
// Preset [Default] works in four steps. A line is cut into tokens, and values become
// masks by their type: numbers with unit, addresses, times, identifiers, paths,
// hosts, quoted strings, lists. Lines of JSON and logfmt keep their keys and levels,
// the message is read as text, all other values are masked. A line that fits a
// template, wildcards counted, belongs to it, to the one with most constants if there
// are several. Else it joins the most similar template of the same length and first
// word if 0.8 of the places that are not variable on both sides are equal, and what
// differs becomes a wildcard; a level or a key never does. Else it begins a template.
// Then families are sought: four or more templates that are equal but for one gap of
// up to four tokens, and share two words and half of all, become one. Preset [Drain]
// is the widely used model, to reproduce and to compare.
//
// A learned line matches as long as its template is not evicted. Ids stay: when
// templates merge, the lowest goes on and the others are its aliases
// ([Miner.Resolve]); [Miner.Since] tells whoever kept a text whether it still holds.
// [Miner.Define] adds a template of the caller's, which never changes.
//
// Limits. Two states of one thing may merge, such as "became leader" and "became
// follower" in a long line, and a line whose only words are names may stay apart. A
// sequence of unknown lines costs more than one of known ones, up to a few hundred
// comparisons a line. Names of people are words: neither masks nor Redact know them.
// Escapes in JSON stay as they are, and values that follow a message are not looked
// into. Seasons are of a fixed length; the hour that a change of clocks moves is not
// known to them. Lines of several rows are lines each.
//
// Everything is deterministic and bounded in memory by the options; nothing reads
// the clock, all instants are arguments. Neither a Miner nor a Watch is safe for
// concurrent use. Both can be saved and restored at any line.
package logs
