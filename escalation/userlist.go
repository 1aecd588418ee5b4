package escalation

import (
	"cmp"
	"slices"
	"time"
)

// ListChange replaces the people of a rotation from an instant on. Whoever is on
// call keeps the turn, if still in the list; then those behind in the new list
// follow. Somebody who is not in the list any more is succeeded at once by the
// next of the old order who is, or by the first of the new list.
type ListChange struct {
	From  time.Time `json:"from"`
	Users []string  `json:"users"`

	// Restart gives the turn to the first of the list at once instead.
	Restart bool `json:"restart,omitzero"`
}

// userList is a list of people that counts from an instant on.
type userList struct {
	from   int64
	users  []string
	offset int64 // of the turn with count 0 in the list
}

func (l *userList) user(count int64) string {
	n := int64(len(l.users))
	at := (count + l.offset) % n
	if at < 0 {
		at += n
	}
	return l.users[at]
}

// list returns the one that counts at an instant.
func (t *Turns) list(at int64) *userList { return &t.lists[t.place(at)] }

func (t *Turns) place(at int64) int {
	if len(t.lists) == 1 {
		return 0
	}
	i, _ := slices.BinarySearchFunc(t.lists[1:], at+1, func(l userList, at int64) int { return cmp.Compare(l.from, at) })
	return i
}

// who returns the person of turn k at an instant within it.
func (t *Turns) who(k, at int64) string {
	if k < 0 && !t.backwards {
		return ""
	}
	return t.list(at).user(t.count.before(k))
}

// follow adds a list that begins at an instant, in order of the instants.
func (t *Turns) follow(c ListChange) {
	from := ceil(c.From)
	next := userList{from: from, users: slices.Clone(c.Users)}
	k := t.index(from)
	count := t.count.before(k)
	if k >= 0 || t.backwards {
		next.offset = int64(next.begin(t.list(from), count, c.Restart)) - count
	}
	t.lists = append(t.lists, next)
}

// begin returns the place in the list of the person who goes on with the turn of a
// count under the list before.
func (l *userList) begin(before *userList, count int64, restart bool) int {
	if restart {
		return 0
	}
	place := map[string]int{} // of the first of each person
	for at, user := range slices.Backward(l.users) {
		place[user] = at
	}
	for i := range int64(len(before.users)) {
		if at, ok := place[before.user(count+i)]; ok {
			return at
		}
	}
	return 0
}
