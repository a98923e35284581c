"""Passwords of staff as Argon2id hashes, with the second recommended parameters of RFC 9106 (64 MiB each):
https://www.rfc-editor.org/rfc/rfc9106#section-4"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from series.staff import normal_password

AT_ONCE = 2  # of 64 MiB each
IN_LINE = 6  # of the 16 threads with which `lti-tool serve` answers; launches need the others
# Of a password that was thrown away, under the same parameters: what an account that is not there is compared with.
NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$L7jLXPyRV74vSLQwcMGx8Q$oEqxGgWBvibQUVDmhjuh9m7N7MqUuNFX4Qz/KLgt7mE"


class TooManyAtOnce(Exception):
    """As many as may wait for their turn already do."""


class Passwords:
    """May be shared by threads. `nobodys` must be a hash under the same parameters."""

    def __init__(self, parameters: Parameters = RFC_9106_LOW_MEMORY, *, nobodys: str = NOBODYS) -> None:
        self._hasher = PasswordHasher.from_parameters(parameters)
        self._nobodys = nobodys
        self._line = threading.BoundedSemaphore(IN_LINE)
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def make_hash(self, password: str) -> str:
        """Raises TooManyAtOnce."""
        with self._place():
            return self._hasher.hash(normal_password(password))

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password. Without a hash it never is, and the answer costs one comparison all the same, so
        that its time does not say who has an account. Raises TooManyAtOnce."""
        with self._place():
            try:
                self._hasher.verify(password_hash or self._nobodys, normal_password(password))
            except VerifyMismatchError:
                return False
        return password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made under other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._line.acquire(blocking=False):
            raise TooManyAtOnce
        try:
            with self._places:
                yield
        finally:
            self._line.release()
