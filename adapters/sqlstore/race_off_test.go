//go:build !race

package sqlstore_test

// raceEnabled says that the tests run many times slower.
const raceEnabled = false
