"""One mail to the operator's own mail server, over the standard library."""

import smtplib
import ssl
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from config.mail_server import Encryption, MailServer
from series.staff_mail import Letter

ANSWER_WITHIN_S = 20.0


class MailNotSent(Exception):
    """`of_server`: no other mail would go through now, either."""

    def __init__(self, sentence: str, *, of_server: bool) -> None:
        super().__init__(sentence)
        self.of_server = of_server


def make_message(letter: Letter, *, to: str, sender: str, host: str, now: datetime) -> EmailMessage:
    """Raises ValueError or IndexError for an address that it cannot write."""
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["From"] = f"Shared Sessions <{sender}>"
    message["To"] = to
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=host)
    message["Auto-Submitted"] = "auto-generated"  # https://www.rfc-editor.org/rfc/rfc3834#section-5
    message.set_content(letter.body)
    return message


def send(server: MailServer, message: EmailMessage, *, own_host: str) -> None:
    """One connection, one mail. Raises MailNotSent."""
    try:
        smtp = _connect(server, own_host)
        try:
            if server.encryption is Encryption.STARTTLS:
                _encrypt(smtp, server.host)
            if server.user is not None and server.password is not None:
                smtp.login(server.user, server.password)
            smtp.send_message(message)
        finally:
            _hang_up(smtp)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError, smtplib.SMTPDataError) as error:
        raise MailNotSent(f"{server.host} does not take a mail to one of the staff.", of_server=False) from error
    except smtplib.SMTPAuthenticationError as error:
        sentence = f"{server.host} does not take our user and password: correct SMTP_URL."
        raise MailNotSent(sentence, of_server=True) from error
    except ssl.SSLError as error:
        sentence = f"{server.host} has no certificate that we could trust for this name: correct SMTP_URL, or it."
        raise MailNotSent(sentence, of_server=True) from error
    except (OSError, smtplib.SMTPException) as error:
        sentence = f"The mail server {server.host} cannot be reached or refuses us ({type(error).__name__})."
        raise MailNotSent(sentence, of_server=True) from error


def _hang_up(smtp: smtplib.SMTP) -> None:
    """How the server takes that says nothing about the mail: it has it, or not, by now."""
    with suppress(OSError, smtplib.SMTPException):
        smtp.quit()
    smtp.close()


def _encrypt(smtp: smtplib.SMTP, host: str) -> None:
    """Raises MailNotSent, and what smtplib raises."""
    try:
        smtp.starttls(context=ssl.create_default_context())
    except smtplib.SMTPNotSupportedError as error:
        sentence = f"{host} offers no encryption, and nothing is sent without: correct SMTP_URL."
        raise MailNotSent(sentence, of_server=True) from error


def _connect(server: MailServer, own_host: str) -> smtplib.SMTP:
    """`own_host`: else Python asks the network what we are called, which may take long."""
    if server.encryption is Encryption.TLS:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=own_host, timeout=ANSWER_WITHIN_S, context=context
        )
    return smtplib.SMTP(server.host, server.port, local_hostname=own_host, timeout=ANSWER_WITHIN_S)
