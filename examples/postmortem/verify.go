package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident"
)

// verdict is the JSON result of -verify.
type verdict struct {
	program.Envelope

	Sound    bool            `json:"sound"`
	Tenant   string          `json:"tenant"`
	Incident string          `json:"incident_id"`
	Events   int             `json:"events"` // that verify; all of them in a sound file
	Anchor   incident.Digest `json:"anchor"` // what the first entry follows: a hash over tenant and incident
	Head     incident.Head   `json:"head"`   // the last entry that verifies
	Broken   *broken         `json:"broken"` // the first line that does not
}

// broken is a place in an exported timeline.
type broken struct {
	Line  int            `json:"line"`  // from 1, the header
	Seq   uint64         `json:"seq"`   // of the entry that should stand there; 0 for the header
	Fault incident.Fault `json:"fault"` // "" for a line that cannot be read
	Text  string         `json:"text"`
}

// verify checks an exported timeline and says where it is broken, if it is.
func (o *options) verify(env *program.Env) error {
	switch {
	case o.incident != "" || o.timeline != "":
		return program.Exit(program.Usage, errors.New("-verify: verifies one file, want no -incident and no -timeline beside it"))
	case env.Format != "text" && env.Format != "json":
		return program.Exit(program.Usage, fmt.Errorf("-format %q: -verify has text and json", env.Format))
	}
	in := program.NewInputs(nil, false)
	shown, data, err := in.Read("verify", o.file)
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	header, _, _ := bytes.Cut(data, []byte("\n"))
	named, rejected, err := incident.RecoverTimeline(bytes.NewReader(header))
	if named == nil {
		if err == nil {
			err = errors.New("empty, want the header of an exported timeline")
		}
		if len(rejected) > 0 {
			err = rejected[0].Err
		}
		return program.Exit(program.Input, fmt.Errorf("%s:1: %s", shown, oneLine(cause(err))))
	}
	good, _, err := incident.RecoverTimeline(bytes.NewReader(data))
	if err != nil {
		return err
	}
	tenant, id := named.Of()
	v := verdict{
		Envelope: program.Envelope{Schema: "timeline-verification/v1", Now: env.Now, Inputs: in.Sources, Warnings: in.Notices},
		Tenant:   tenant, Incident: id, Events: good.Len(), Anchor: incident.NewTimeline(tenant, id).Head().Hash, Head: good.Head(), Broken: firstBroken(data),
	}
	v.Sound = v.Broken == nil
	if !v.Sound {
		env.Fails()
	}
	if env.Format == "json" {
		return env.JSON(v)
	}
	v.print(env, shown)
	return nil
}

func cause(err error) error {
	if line, ok := errors.AsType[*incident.LineError](err); ok {
		return line.Err
	}
	return err
}

// firstBroken returns the first line of an export that does not verify. The chain is
// checked also of what stands before a line that cannot be read.
func firstBroken(data []byte) *broken {
	_, err := incident.ReadTimeline(bytes.NewReader(data))
	if chain, ok := errors.AsType[*incident.ChainError](err); ok {
		return &broken{Line: int(chain.Seq) + 1, Seq: chain.Seq, Fault: chain.Fault, Text: chain.Error()}
	}
	line, ok := errors.AsType[*incident.LineError](err)
	if !ok {
		return nil
	}
	lines := bytes.SplitAfterN(data, []byte("\n"), line.Line)
	_, err = incident.ReadTimeline(bytes.NewReader(bytes.Join(lines[:line.Line-1], nil)))
	if chain, ok := errors.AsType[*incident.ChainError](err); ok {
		return &broken{Line: int(chain.Seq) + 1, Seq: chain.Seq, Fault: chain.Fault, Text: chain.Error()}
	}
	text := oneLine(line.Err)
	if line.Line > 1 {
		text += ", want an entry of the timeline"
	}
	return &broken{Line: line.Line, Seq: uint64(line.Line) - 1, Text: text}
}

// oneLine is an error with all that is wrong with a line of the export behind its place.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func (v *verdict) print(env *program.Env, shown string) {
	if v.Sound {
		fmt.Fprintf(env.Out, "%s: sound\n", shown)
	} else {
		fmt.Fprintf(env.Out, "%s:%d: %s\n", shown, v.Broken.Line, v.Broken.Text)
	}
	fmt.Fprintf(env.Out, "\nincident  %q of tenant %q\nevents    %d", v.Incident, v.Tenant, v.Events)
	if !v.Sound {
		fmt.Fprint(env.Out, " that verify")
	}
	fmt.Fprintf(env.Out, "\nanchor    %s\nhead      %d %s\n", v.Anchor, v.Head.Seq, v.Head.Hash)
	if v.Sound {
		fmt.Fprint(env.Out, "\nEntries that were cut off the end with their number in the header are missed only against a head that was noted or signed before.\n")
	}
}
