# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a mail relay whether it would send our e-mail, and sends none (RFC 5321, 3207, 4954)."""

from __future__ import annotations

import argparse
import os
import smtplib
import ssl
import sys
from contextlib import closing

PATIENCE = 15.0
"""Seconds that each answer may take."""
NOT_FOR_US = b"5.7."
"""How refusals begin that are not about the recipient (RFC 3463 section 3.8)."""


class RelayError(Exception):
    """What is wrong, without the name of the relay."""


def ask(host: str, port: int, tls: str, sender: str, user: str, password: str) -> None:
    """Come as far as the recipient, for whom the sender stands, as Synapse would; and leave.

    Raises smtplib.SMTPException, OSError (which ssl.SSLError is) and RelayError.
    """
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # Python 3.13 is stricter than Synapse
    with closing(_connection(host, port, tls, context)) as server:
        server.ehlo_or_helo_if_needed()
        if tls == "starttls":
            if not server.has_extn("starttls"):
                raise RelayError(f"offers no STARTTLS at port {port}; try port 465, tls implicit")
            _judge(*server.starttls(context=context))
            server.ehlo_or_helo_if_needed()
        if user:
            server.login(user, password)
        _judge(*server.mail(sender))
        code, text = server.rcpt(sender)
        if text.startswith(NOT_FOR_US):
            _judge(code, text)
        server.quit()


def _connection(host: str, port: int, tls: str, context: ssl.SSLContext) -> smtplib.SMTP:
    if tls == "implicit":
        return smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=context)
    return smtplib.SMTP(host, port, timeout=PATIENCE)


def _judge(code: int, text: bytes) -> None:
    if code >= 400:
        raise smtplib.SMTPResponseException(code, text)


def verdict(error: Exception, port: int) -> str:
    """Say what an error means, to follow the name of the relay."""
    if isinstance(error, RelayError):
        return str(error)
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        return f"says: {' '.join(f'{error.smtp_code} {text}'.split())}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"takes no password at port {port}; look at port and tls, or leave the user out"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"shows a certificate that does not hold: {error.verify_message.rstrip('.')}"
    if isinstance(error, ssl.SSLError):
        return f"does not begin encryption at port {port} in that way; look at port and tls"
    reason = getattr(error, "strerror", None) or error
    return f"does not answer at port {port}: {reason}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("tls", choices=["starttls", "implicit", "none"])
    parser.add_argument("sender", help="an address")
    parser.add_argument("user", help="may be empty; its password is RELAY_PASSWORD")
    given = parser.parse_args(arguments)
    try:
        ask(**vars(given), password=os.environ.get("RELAY_PASSWORD", ""))
    except (RelayError, OSError) as error:
        sys.stderr.write(f"the relay {given.host} {verdict(error, given.port)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
