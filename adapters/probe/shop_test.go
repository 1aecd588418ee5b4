package probe_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/probe"
)

// shop is a web shop with sessions and carts. It breaks, or is slow, where it is told
// to: by the name of a step.
type shop struct {
	mu      sync.Mutex // guards all below
	users   int
	carts   map[string][]string // by id
	orders  [][]string
	agents  []string
	broken  map[string]string // by step: a status, "html", "wrong", "cut", "empty"
	slow    map[string]time.Duration
	handled []string
}

func newShop() *shop {
	return &shop{carts: map[string][]string{}, broken: map[string]string{}, slow: map[string]time.Duration{}}
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	step := map[string]string{
		"GET /": "home", "GET /login": "log in", "POST /cart": "add", "DELETE /cart": "remove", "PUT /cart": "add another", "POST /order": "check out", "GET /done": "check out",
		"DELETE /carts": "delete cart",
	}[r.Method+" /"+strings.Split(r.URL.Path+"/", "/")[1]]
	s.mu.Lock()
	wait := s.slow[step]
	s.mu.Unlock()
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handled = append(s.handled, step)
	s.agents = append(s.agents, r.UserAgent())
	switch fault := s.broken[step]; fault {
	case "":
	case "html":
		fmt.Fprint(w, "<html>sorry</html>")
		return
	case "wrong":
		fmt.Fprint(w, `{"id":"x","items":[{"sku":"?","n":0}],"order":{"total":"0"}}`)
		return
	case "empty":
		return
	case "cut":
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "{")
		panic(http.ErrAbortHandler)
	default:
		w.WriteHeader(map[string]int{"500": 500, "404": 404}[fault])
		return
	}
	id := ""
	if c, err := r.Cookie("cart"); err == nil {
		id = c.Value
	}
	cart := func() {
		type item struct {
			SKU string `json:"sku"`
			N   int    `json:"n"`
		}
		items := []item{}
		for _, sku := range s.carts[id] {
			items = append(items, item{sku, 1})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "items": items})
	}
	var in struct{ SKU string }
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil && r.URL.Path != "/order" {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	switch step {
	case "home":
		fmt.Fprint(w, `<html><form><input name="csrf" value="t-4711"></form></html>`)
	case "log in":
		s.users++
		id = fmt.Sprintf("cart/%d", s.users) // an id that has to be escaped in a path
		s.carts[id] = nil
		http.SetCookie(w, &http.Cookie{Name: "cart", Value: id, Path: "/"})
		w.Header().Set("X-Cart", id)
		cart()
	case "add", "add another":
		if r.Header.Get("X-Csrf") != "t-4711" || id == "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		s.carts[id] = append(s.carts[id], in.SKU)
		cart()
	case "remove":
		sku := strings.TrimPrefix(r.URL.Path, "/cart/")
		s.carts[id] = slices.DeleteFunc(s.carts[id], func(have string) bool { return have == sku })
		cart()
	case "check out":
		if r.Method == http.MethodPost {
			s.orders = append(s.orders, slices.Clone(s.carts[id]))
			http.Redirect(w, r, "/done", http.StatusSeeOther)
			return
		}
		fmt.Fprint(w, `{"order":{"total":"19.90"}}`)
	case "delete cart":
		delete(s.carts, strings.TrimPrefix(r.URL.Path, "/carts/"))
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// buy is the journey of the interview: put something into the cart, take it out, put
// another thing in, check out.
func buy(base string) probe.Journey {
	header := map[string]string{"Content-Type": "application/json", "X-Csrf": "${csrf}"}
	return probe.Journey{
		Name: "buy", Variables: map[string]string{"base": base, "first": `A"1`, "second": "B/2"},
		Steps: []probe.Step{
			{Name: "home", URL: "${base}/", Extract: []probe.Extract{{Name: "csrf", Regexp: `name="csrf" value="([^"]+)"`}}},
			{Name: "log in", URL: "${base}/login?user=${first}", Extract: []probe.Extract{{Name: "cart", JSON: "/id"}, {Name: "again", Header: "X-Cart"}}},
			{
				Name: "add", Method: "POST", URL: "${base}/cart", Header: header, Body: `{"sku":"${first}"}`,
				Check: []probe.Check{{JSON: "/items/0/sku", Equals: new("${first}")}, {JSON: "/items/1", Absent: true}, {JSON: "/id", Equals: new("${again}")}},
			},
			{
				Name: "remove", Method: "DELETE", URL: "${base}/cart/${first}", Header: header,
				Check: []probe.Check{{JSON: "/items", Equals: new("[]")}},
			},
			{
				Name: "add another", Method: "PUT", URL: "${base}/cart", Header: header, Body: `{"sku":"${second}"}`,
				Check: []probe.Check{{JSON: "/items/0/n", AtLeast: "1", AtMost: "1.0"}, {Contains: "B/2"}},
			},
			{
				Name: "check out", Method: "POST", URL: "${base}/order", Status: []int{200},
				Check: []probe.Check{{JSON: "/order/total", Matches: `^\d+\.\d\d$`, AtLeast: "19.9"}},
			},
		},
		Cleanup: []probe.Step{{Name: "delete cart", Method: "DELETE", URL: "${base}/carts/${cart}"}},
	}
}
