package rig

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	_ "embed" // the server
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// python is Debian's, which has its aiosmtpd.
const python = "/usr/bin/python3"

//go:embed mail.py
var mailServer []byte

// Mail is an SMTP server (Debian's python3-aiosmtpd) on the loopback interface that demands TLS and a login. mail.py says
// which addresses have a way of their own.
type Mail struct {
	*Process
	Port        int
	Certificate string // file with the certificate that clients are to trust
	spool       string
}

// Received is a mail that the server took.
type Received struct {
	From    string
	Options []string
	To      []string
	TLS     bool
	Login   bool
	Text    []byte // as it came over the wire, dots undone
}

// LookMail reports whether aiosmtpd is installed.
func LookMail(ctx context.Context) error {
	return check(ctx, python, "-c", "import aiosmtpd")
}

// StartMail starts a server whose files are in the folder dir and waits until it answers. mechanism is the one by which it
// lets clients log in, PLAIN or LOGIN; empty for both.
func StartMail(ctx context.Context, log io.Writer, dir, mechanism string) (*Mail, error) {
	port, err := OddPort(ctx)
	if err != nil {
		return nil, err
	}
	m := &Mail{Port: port, Certificate: filepath.Join(dir, "cert.pem"), spool: filepath.Join(dir, "spool")}
	key, script := filepath.Join(dir, "key.pem"), filepath.Join(dir, "mail.py")
	if err := writeCertificate(m.Certificate, key); err != nil {
		return nil, err
	}
	if err := os.WriteFile(script, mailServer, 0o600); err != nil {
		return nil, err
	}
	if m.Process, err = Start("mail server", log, python, script, strconv.Itoa(port), m.Certificate, key, m.spool, mechanism); err != nil {
		return nil, err
	}
	if err := m.ready(ctx); err != nil {
		m.Kill()
		return nil, err
	}
	return m, nil
}

// ready waits for the greeting.
func (m *Mail) ready(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(m.Port)))
		if err == nil {
			_, err = bufio.NewReader(conn).ReadString('\n')
			_ = conn.Close()
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the mail server: %w (last: %w)", ctx.Err(), err)
		case <-m.Exited():
			return fmt.Errorf("wait for the mail server: it ended: %w", m.err)
		case <-tick.C:
		}
	}
}

// Received returns all mails so far.
func (m *Mail) Received() ([]Received, error) {
	data, err := os.ReadFile(m.spool)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Received
	for line := range bytes.Lines(data) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // being written
		}
		var r Received
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// writeCertificate makes one for 127.0.0.1 that signs itself.
func writeCertificate(cert, key string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	if err := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
}
