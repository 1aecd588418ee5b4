package rig

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// Again runs the test program that calls it once more, with orders as JSON in a variable of its environment, by which its
// TestMain tells what it is. It is killed at the end of the test if it still runs then.
func Again(t *testing.T, variable string, orders any) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(orders)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), variable+"="+string(text))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return cmd
}
