"""A mail server that keeps what it gets, one line of JSON for each mail.

It says nothing before STARTTLS and a login (ops, s3cret). Some addresses have a
way of their own: gone@ is unknown, busy@ is refused the first time, slow@ has the
first mail taken but never answered, full@ has the first text refused.
"""
import asyncio, base64, json, os, signal, ssl, sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

port, cert, key, spool, mechanism = int(sys.argv[1]), *sys.argv[2:6]
seen = set()


def first(what):
    new = what not in seen
    seen.add(what)
    return new


def login(server, session, envelope, mechanism, data):
    # Without handled=False aiosmtpd sends no answer and the client waits for ever.
    return AuthResult(success=(data.login, data.password) == (b"ops", b"s3cret"), handled=False)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone@"):
            return "550 5.1.1 no such user"
        if address.startswith("busy@") and first(address):
            return "451 4.3.0 later"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos
        if any(a.startswith("full@") and first(a) for a in to):
            return "452 4.3.1 disk full"
        line = {
            "from": envelope.mail_from,
            "options": envelope.mail_options,
            "to": to,
            "tls": session.ssl is not None,
            "login": session.authenticated,
            "text": base64.b64encode(envelope.original_content).decode(),
        }
        out = os.open(spool, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(out, (json.dumps(line) + "\n").encode())
        os.fsync(out)
        os.close(out)
        if any(a.startswith("slow@") and first(a) for a in to):
            await asyncio.sleep(3600)
        return "250 2.0.0 taken"


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
options = dict(hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True, authenticator=login, auth_required=True)
if mechanism:
    options["auth_exclude_mechanism"] = [m for m in ("LOGIN", "PLAIN") if m != mechanism]
controller = Controller(Handler(), enable_SMTPUTF8=True, **options)
controller.start()
signal.pause()
