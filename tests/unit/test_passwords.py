"""Hashes of passwords: which kind, and how many at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from lti_tool.passwords import AT_ONCE, IN_LINE, NOBODYS, Passwords, TooManyAtOnce

PASSWORD = "correct horse battery staple"


def test_a_hash_is_argon2id_of_rfc_9106_with_a_salt_of_its_own() -> None:
    passwords = Passwords()
    first, second = passwords.make_hash(PASSWORD), passwords.make_hash(PASSWORD)
    assert extract_parameters(first) == RFC_9106_LOW_MEMORY
    assert first != second
    assert not passwords.is_outdated(first)


def test_only_the_password_matches() -> None:
    passwords = Passwords()
    made = passwords.make_hash(PASSWORD)
    assert passwords.matches(made, PASSWORD)
    assert not passwords.matches(made, PASSWORD.upper())
    assert not passwords.matches(None, PASSWORD)


def test_nobodys_hash_costs_what_a_new_one_does() -> None:
    assert extract_parameters(NOBODYS) == RFC_9106_LOW_MEMORY


def test_another_kind_of_hash_is_outdated() -> None:
    assert Passwords().is_outdated(PasswordHasher(time_cost=2).hash(PASSWORD))


class Held(Passwords):
    """Each comparison waits in its place until it is let go; `most` is how many were there at once."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.most, self.lock, self.go = 0, 0, threading.Lock(), threading.Event()
        self.full = threading.Barrier(AT_ONCE + 1)
        self._hasher = self  # type: ignore[assignment]

    def verify(self, password_hash: str, password: str) -> bool:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        if not self.go.is_set():
            self.full.wait(timeout=10)
            self.go.wait(timeout=10)
        with self.lock:
            self.inside -= 1
        return True


def test_two_are_compared_at_once_the_others_wait_and_a_crowd_is_sent_away() -> None:
    held = Held()
    with ThreadPoolExecutor(IN_LINE) as threads:
        waiting = [threads.submit(held.matches, "hash", PASSWORD) for _ in range(IN_LINE)]
        held.full.wait(timeout=10)
        while held._line._value:  # until the others stand in line
            threading.Event().wait(0.001)
        with pytest.raises(TooManyAtOnce):
            held.matches("hash", PASSWORD)
        held.go.set()
        assert [each.result(timeout=10) for each in waiting] == [True] * IN_LINE
    assert held.most == AT_ONCE
    assert held.matches("hash", PASSWORD), "the line is open again"
