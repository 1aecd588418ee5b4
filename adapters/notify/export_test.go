package notify

import "net/mail"

// Write returns the bytes of a message to one reader.
func Write(m Message, name, address string) ([]byte, error) {
	return letter{
		Message: m, from: &mail.Address{Name: "Operations", Address: "ops@example.com"},
		to: &mail.Address{Name: name, Address: address}, at: m.At,
	}.bytes()
}
