// Package notify sends messages to people: by e-mail, in Slack, by webhook, SMS and call.
//
// A [Sender] takes one [Message] and says what became of it for each of its
// targets: delivered, permanently refused, to be tried again, or skipped and why.
// It tries once; trying again is for a durable outbox, such as
// sqlstore.Store.Outbox with a runner:
//
//	mailer, err := notify.NewEmail(notify.EmailConfig{
//		Host: "smtp.example.com", From: "Operations <ops@example.com>",
//		Username: "ops", Password: password,
//	})
//	slack, err := notify.NewSlack(notify.SlackConfig{Token: token, Ledger: store.Ledger()})
//	senders := notify.Senders{comms.Email: mailer, comms.Slack: slack}
//	handle := func(ctx context.Context, l escalation.Lease) error {
//		var m comms.Message
//		if err := json.Unmarshal(l.Payload, &m); err != nil {
//			return fmt.Errorf("%w: %w", runner.ErrPermanent, err)
//		}
//		result := senders.Send(ctx, notify.MessageOf(m))[0]
//		switch err := result.Err; {
//		case err == nil, result.State == notify.Temporary:
//			return err // nil completes the task, else it is tried again
//		default:
//			return fmt.Errorf("%w: %w", runner.ErrPermanent, err)
//		}
//	}
//
// A message that is sent again, because a process died between the send and the
// report or because an answer was lost, has the same key. What comes of that depends on
// the channel:
//
//   - mail has the same Message-ID, by which mail servers and readers tell that they
//     have it already;
//   - [Webhook] has the same id in a header and in the body, by which a receiver drops it;
//   - [Slack] notes in a ledger what it posted, and looks for a message whose answer
//     was lost by the key in its metadata;
//   - [SMS] and [Calls] do the same by number, text and time, for Twilio has no keys;
//   - [SlackWebhook] cannot look, and posts again: to be told twice is better than not
//     to be told.
//
// In a call a message is acknowledged by pressing a key, which a [CallHandler] hears.
// [Person] says in which ways somebody wants to be told, and [Storm] makes digests of
// what is more than somebody can read.
//
// Errors are found by errors.As as [*adapters.Error] whatever the channel, so that their
// kinds can be asked for. None of them, and nothing that is printed or logged of a
// sender, shows a token or a URL.
package notify
