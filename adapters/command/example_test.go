//go:build unix

package command_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/command"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// A command answers in time, and one that hangs is ended with all its children.
func ExampleCommand() {
	actions := playbook.Actions{
		"check":   command.Command{Path: "/bin/echo", Args: []string{"auto scaling is on"}, Dir: os.TempDir()},
		"restart": command.Command{Path: "/bin/sh", Args: []string{"-c", "sleep 60 & wait"}, Dir: os.TempDir(), Grace: time.Second},
	}
	for _, operation := range []string{"check", "restart"} {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		if operation == "check" {
			ctx = context.Background()
		}
		fmt.Println(actions.Carry(ctx, playbook.Intent{Operation: operation}))
		cancel()
	}
	// Output:
	// ok auto scaling is on
	// uncertain /bin/sh: signal: terminated, its time was over
}
