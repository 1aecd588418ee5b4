// Package notify sends messages to people, by e-mail so far.
//
// A [Sender] takes one [Message] and says what became of it for each of its
// targets: delivered, permanently refused, to be tried again, or skipped and why.
// It tries once and keeps nothing; trying again is for a durable outbox, such as
// sqlstore.Store.Outbox with a runner:
//
//	mailer, err := notify.NewEmail(notify.EmailConfig{
//		Host: "smtp.example.com", From: "Operations <ops@example.com>",
//		Username: "ops", Password: password,
//	})
//	senders := notify.Senders{comms.Email: mailer}
//	handle := func(ctx context.Context, l escalation.Lease) error {
//		var m comms.Message
//		if err := json.Unmarshal(l.Payload, &m); err != nil {
//			return fmt.Errorf("%w: %w", runner.ErrPermanent, err)
//		}
//		result := senders.Send(ctx, notify.FromComms(m))[0]
//		switch err := result.Err; {
//		case err == nil, result.State == notify.Temporary:
//			return err // nil completes the task, else it is tried again
//		default:
//			return fmt.Errorf("%w: %w", runner.ErrPermanent, err)
//		}
//	}
//
// A message that is sent again, because a process died between the send and the
// report or because an answer was lost, has the same key and therefore the same
// Message-ID, by which mail servers and readers tell that they have it already.
package notify
