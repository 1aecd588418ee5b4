package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/alertmanager/alert"
	amconfig "github.com/prometheus/alertmanager/config/common"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/provider"
	"github.com/prometheus/common/model"

	ours "github.com/evenkeelops/evenkeel/correlation/inhibit"
)

const peer = "alertmanager v0.34.2"

var silent = slog.New(slog.DiscardHandler)

// feed is a provider that gives out alerts, those of the start and later ones.
type feed struct {
	first   []*alert.Alert
	later   chan *provider.Alert
	pending int // of later, until they are all processed
	done    chan struct{}
}

func newFeed(first []*alert.Alert) *feed {
	return &feed{first: first, later: make(chan *provider.Alert, 200), done: make(chan struct{})} // as many as the real provider's
}

// SlurpAndSubscribe returns the first alerts; later ones follow.
func (f *feed) SlurpAndSubscribe(string) ([]*alert.Alert, provider.AlertIterator) { return f.first, f }

// Next returns the channel of later alerts.
func (f *feed) Next() <-chan *provider.Alert { return f.later }

// Err is asked for every later alert, before it is processed. The one after the last is an end that has none.
func (f *feed) Err() error {
	if f.pending--; f.pending >= 0 {
		return nil
	}
	f.done <- struct{}{}
	return context.Canceled
}

// Close does nothing.
func (f *feed) Close() {}

// send returns when all alerts are processed.
func (f *feed) send(alerts []*provider.Alert) {
	f.pending = len(alerts)
	for _, a := range alerts {
		f.later <- a
	}
	f.later <- &provider.Alert{}
	<-f.done
}

// Subscribe is not used.
func (f *feed) Subscribe(string) provider.AlertIterator { panic("not used") }

// GetPending is not used.
func (f *feed) GetPending() provider.AlertIterator { panic("not used") }

// Get is not used.
func (f *feed) Get(model.Fingerprint) (*alert.Alert, error) { panic("not used") }

// Put is not used.
func (f *feed) Put(context.Context, ...*alert.Alert) error { panic("not used") }

// theirs is an inhibitor of the peer that runs and has processed the first alerts of its feed.
func theirs(rules []ours.Rule, f provider.Alerts) (*inhibit.Inhibitor, error) {
	list := make([]amconfig.InhibitRule, len(rules))
	for i, r := range rules {
		list[i].Equal = r.Equal
		for _, side := range []struct {
			texts []string
			to    *amconfig.Matchers
		}{{r.SourceMatchers, &list[i].SourceMatchers}, {r.TargetMatchers, &list[i].TargetMatchers}} {
			for _, text := range side.texts {
				m, err := labels.ParseMatcher(text)
				if err != nil {
					return nil, err
				}
				*side.to = append(*side.to, m)
			}
		}
	}
	ih := inhibit.NewInhibitor(f, list, silent, eventrecorder.NopRecorder())
	go ih.Run()
	ih.WaitForLoading()
	return ih, nil
}

func labelSet(labels map[string]string) model.LabelSet {
	set := make(model.LabelSet, len(labels))
	for name, value := range labels {
		set[model.LabelName(name)] = model.LabelValue(value)
	}
	return set
}

func labelSets(list []map[string]string) []model.LabelSet {
	out := make([]model.LabelSet, len(list))
	for i, labels := range list {
		out[i] = labelSet(labels)
	}
	return out
}

// peerAlerts are alerts from the start until an instant.
func peerAlerts(list []map[string]string, ends time.Time) []*alert.Alert {
	out := make([]*alert.Alert, len(list))
	for i, labels := range list {
		out[i] = &alert.Alert{Alert: model.Alert{Labels: labelSet(labels), StartsAt: start.Add(-time.Minute), EndsAt: ends}, UpdatedAt: start}
	}
	return out
}

// sent are alerts as a provider hands them to those who subscribed.
func sent(alerts []*alert.Alert) []*provider.Alert {
	out := make([]*provider.Alert, len(alerts))
	for i, a := range alerts {
		out[i] = &provider.Alert{Data: a}
	}
	return out
}
