package matcher_test

import (
	"fmt"

	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

func Example() {
	list, err := matcher.ParseList(`{severity="critical", instance=~"db.*"}`)
	if err != nil {
		panic(err)
	}
	labels := map[string]string{"severity": "critical", "instance": "web1"}
	fmt.Println(matcher.All(list, labels))
	fmt.Println("fails:", list[matcher.Failing(list, labels)])

	_, err = matcher.ParseList(`"label with blanks" is "x"`)
	fmt.Println(err)
	// Output:
	// false
	// fails: instance=~"db.*"
	// "\"label with blanks\" is \"x\"", character 21: want an operator, one of = != =~ !~
}

func ExampleParse() {
	m, err := matcher.Parse(`severity=~"critical|major"`)
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Name(), m.Op(), m.Value(), m.Matches(map[string]string{"severity": "major"}))
	// Output: severity =~ critical|major true
}
