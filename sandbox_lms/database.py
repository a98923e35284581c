"""One SQLite file for all pretend universities, so that the sandbox starts again where it stopped."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS signing_key (campus TEXT PRIMARY KEY, private_pem TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sign_in (cookie_hash TEXT PRIMARY KEY, campus TEXT NOT NULL, user_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS activity (
    campus TEXT NOT NULL, activity_id INTEGER NOT NULL, title TEXT NOT NULL, document_target TEXT NOT NULL,
    resource_link_id TEXT NOT NULL, line_item_id INTEGER NOT NULL, score_maximum REAL NOT NULL,
    PRIMARY KEY (campus, activity_id), UNIQUE (campus, resource_link_id), UNIQUE (campus, line_item_id));
CREATE TABLE IF NOT EXISTS course (
    campus TEXT NOT NULL, course_id INTEGER NOT NULL, title TEXT NOT NULL, history TEXT NOT NULL,
    PRIMARY KEY (campus, course_id));
CREATE TABLE IF NOT EXISTS selected_activity (
    campus TEXT NOT NULL, activity_id INTEGER NOT NULL, course_id INTEGER NOT NULL, custom TEXT NOT NULL,
    text TEXT NOT NULL, is_graded INTEGER NOT NULL, resource_id TEXT NOT NULL, tag TEXT NOT NULL,
    tracking INTEGER NOT NULL, copied_from TEXT NOT NULL, PRIMARY KEY (campus, activity_id));
CREATE TABLE IF NOT EXISTS selection (
    campus TEXT NOT NULL, selection_id TEXT NOT NULL, course_id INTEGER NOT NULL, user_id TEXT NOT NULL,
    state TEXT NOT NULL, items TEXT NOT NULL, PRIMARY KEY (campus, selection_id));
CREATE TABLE IF NOT EXISTS spent_response (campus TEXT NOT NULL, nonce TEXT NOT NULL, PRIMARY KEY (campus, nonce));
CREATE TABLE IF NOT EXISTS line_item (
    campus TEXT NOT NULL, line_item_id INTEGER NOT NULL, label TEXT NOT NULL, score_maximum REAL NOT NULL,
    resource_id TEXT NOT NULL, tag TEXT NOT NULL, resource_link_id TEXT, PRIMARY KEY (campus, line_item_id));
CREATE TABLE IF NOT EXISTS message_hint (
    campus TEXT NOT NULL, launch_id TEXT NOT NULL, activity_id INTEGER NOT NULL, user_id TEXT NOT NULL,
    PRIMARY KEY (campus, launch_id));
CREATE TABLE IF NOT EXISTS grade (
    campus TEXT NOT NULL, line_item_id INTEGER NOT NULL, user_id TEXT NOT NULL, score REAL, comment TEXT,
    scored_at_s INTEGER NOT NULL, PRIMARY KEY (campus, line_item_id, user_id));
CREATE TABLE IF NOT EXISTS access_token (
    token_hash TEXT PRIMARY KEY, campus TEXT NOT NULL, scopes TEXT NOT NULL, expires_at_s INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS spent_assertion (
    campus TEXT NOT NULL, jti TEXT NOT NULL, expires_at_s INTEGER NOT NULL, PRIMARY KEY (campus, jti));
CREATE TABLE IF NOT EXISTS event_counter (campus TEXT PRIMARY KEY, last_id INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS event (
    campus TEXT NOT NULL, event_id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
    format INTEGER NOT NULL, course_id INTEGER NOT NULL, user_id INTEGER NOT NULL, repeat_id INTEGER NOT NULL,
    event_type TEXT NOT NULL, timestart INTEGER NOT NULL, timeduration INTEGER NOT NULL, visible INTEGER NOT NULL,
    sequence INTEGER NOT NULL, location TEXT NOT NULL, timemodified INTEGER NOT NULL,
    PRIMARY KEY (campus, event_id));
CREATE TABLE IF NOT EXISTS course_module (
    campus TEXT NOT NULL, cmid INTEGER NOT NULL, modname TEXT NOT NULL, instance INTEGER NOT NULL, name TEXT NOT NULL,
    tracking INTEGER NOT NULL, PRIMARY KEY (campus, cmid), UNIQUE (campus, modname, instance));
CREATE TABLE IF NOT EXISTS completion (
    campus TEXT NOT NULL, cmid INTEGER NOT NULL, user_id TEXT NOT NULL, state INTEGER NOT NULL,
    timecompleted INTEGER NOT NULL, overrideby INTEGER, grade_state INTEGER NOT NULL,
    PRIMARY KEY (campus, cmid, user_id));
CREATE TABLE IF NOT EXISTS course_access (
    campus TEXT NOT NULL, user_id TEXT NOT NULL, at_s INTEGER NOT NULL, PRIMARY KEY (campus, user_id));
CREATE TABLE IF NOT EXISTS discussion (
    campus TEXT NOT NULL, discussion_id INTEGER NOT NULL, subject TEXT NOT NULL, message TEXT NOT NULL,
    pinned INTEGER NOT NULL, user_id INTEGER NOT NULL, created_at_s INTEGER NOT NULL,
    PRIMARY KEY (campus, discussion_id));
CREATE TABLE IF NOT EXISTS registration_token (
    token_hash TEXT PRIMARY KEY, campus TEXT NOT NULL, expires_at_s INTEGER NOT NULL, used INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS registered_tool (
    number INTEGER PRIMARY KEY AUTOINCREMENT, campus TEXT NOT NULL, client_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    deployment_id TEXT, initiate_login_uri TEXT NOT NULL, redirect_uri TEXT NOT NULL, scopes TEXT NOT NULL,
    audience TEXT NOT NULL, state TEXT NOT NULL, product TEXT NOT NULL, configuration TEXT NOT NULL);
"""
TABLES = tuple(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", _SCHEMA))


@dataclass(frozen=True)
class Database:
    """A connection per use: a sandbox has few requests and many threads."""

    path: Path

    def create(self) -> None:
        """Make the file and its tables, where they are missing."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connect()) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: everything inside, or nothing when an error leaves it."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = NORMAL")  # only a crash of the whole machine loses the last writes
        return connection
