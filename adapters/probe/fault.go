package probe

import (
	"context"
	"errors"
	"net"
	"syscall"

	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// local are errors of this machine: no file descriptors, memory, ports or routes, or
// not allowed to connect.
var local = []error{
	syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.EADDRNOTAVAIL, syscall.ENETUNREACH, syscall.ENETDOWN,
	syscall.EACCES, syscall.EPERM,
}

// ownFault says why an error is one of the monitor and says nothing about the service,
// "" if it is not. caller is the context of whoever runs the journey.
func ownFault(caller context.Context, err error) string {
	if caller.Err() != nil {
		return "the run was ended: " + caller.Err().Error()
	}
	if refused, ok := errors.AsType[*resilience.RefusedAddressError](err); ok {
		return "the guard refuses the address: " + refused.Error()
	}
	if errors.Is(err, resilience.ErrInsecure) {
		return "the guard refuses http"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && !dns.IsNotFound {
		return "the resolver of this machine does not answer: " + dns.Err
	}
	for _, fault := range local {
		if errors.Is(err, fault) {
			return "this machine: " + fault.Error()
		}
	}
	return ""
}
