package comms

import "github.com/evenkeelops/evenkeel/internal/gsm"

// mostSegments is the number of parts after which the text of an SMS is cut. Ten are
// 1530 characters, or 670 where one of them is not of the GSM alphabet; gateways
// refuse what is longer: https://www.twilio.com/docs/api/errors/21617
const mostSegments = 10

// shorten cuts a text that would need more parts.
func shorten(text string) string { return gsm.Cut(text, " ...", "", mostSegments) }
