"""The pre-flight of one LMS: everything that can be tried from here, without any person of it.

The same for the worker, which writes it down, and for `lti-tool doctor`.
"""

from collections.abc import Callable
from functools import partial

from config.clock import Clock
from config.settings import Settings
from lms.guarded import GuardedSession
from lms.preflight_addresses import look_at_clock, look_at_keys, look_at_login, look_at_our_keys
from lms.preflight_findings import Findings, Setting
from lms.preflight_score import try_score
from lms.preflight_services import look_at_line_item, look_at_roster, look_at_token
from lms.tool_keys import current_signing_key
from series.preflight import Code, Trial
from series.preflight_facts import (
    judge_deliveries,
    judge_deployments,
    judge_frames,
    judge_launches,
    judge_moodle,
    origin_of,
)
from series.store.database import Database
from series.store.keys import save_key_fetch, tool_keys
from series.store.platform_checks import note_trial_column
from series.store.preflight_facts import facts_of
from series.store.universities import PlatformRow, list_platforms

SERVICES = (
    (Code.ROSTER, look_at_roster),
    (Code.LINE_ITEM, look_at_line_item),
    (Code.TEST_SCORE, try_score),
)


def fly(
    database: Database,
    settings: Settings,
    http: GuardedSession,
    row: PlatformRow,
    *,
    test_user: str | None = None,
    is_asked: bool = True,
    earlier_score: Trial | None = None,
    on_trial: Callable[[Trial], None] = lambda _: None,
) -> list[Trial]:
    """Every check of this LMS, in order; each call is bounded, and after ENOUGH_S none is begun. Keys that are read
    serve the launches to come. `is_asked`, `earlier_score`: as of Findings. Raises DatabaseBusy, DatabaseUnreachable,
    NoToolKey, WrongEncryptionKey."""
    clock = settings.clock()
    with database.read() as connection:
        facts = facts_of(connection, row, now=clock.now())
    found = Findings(
        setting=_setting(database, settings, http, clock),
        row=row,
        facts=facts,
        test_user=test_user,
        is_asked=is_asked,
        earlier_score=earlier_score,
        keep=partial(_keep_trial_column, database, row.platform_id, clock),
        on_trial=on_trial,
    )
    _look_at_all(found, partial(_save_keys, database, row.platform_id, clock))
    return found.trials


def _look_at_all(found: Findings, save_keys: Callable[[str], None]) -> None:
    facts, setting = found.facts, found.setting
    look_at_keys(found, save_keys)
    look_at_login(found)
    look_at_our_keys(found)
    look_at_token(found)
    look_at_clock(found)
    found.note(judge_deployments(facts))
    found.note(judge_launches(facts, setting.clock.now()))
    found.note(judge_frames(facts, known_origins=setting.known_origins, frame_ancestors=setting.frame_ancestors))
    for code, look in SERVICES:
        if found.is_too_late:
            found.unknown(code, case="slow")
        else:
            look(found)
    found.note(judge_deliveries(facts))
    moodle = judge_moodle(facts)
    if moodle is not None:
        found.note(moodle)


def _setting(database: Database, settings: Settings, http: GuardedSession, clock: Clock) -> Setting:
    now = clock.now()
    with database.read() as connection:
        keys = tool_keys(connection, encryption_key=settings.encryption_key)
        urls = [url for row in list_platforms(connection) for url in (row.issuer, row.authorization_endpoint)]
    return Setting(
        http=http,
        clock=clock,
        signer=current_signing_key(database, settings.encryption_key, clock.now),
        public_url=settings.public_url,
        our_kids=frozenset(key.kid for key in keys if key.is_published(now)),
        frame_ancestors=settings.frame_ancestors,
        known_origins=tuple(filter(None, map(origin_of, urls))),
    )


def _keep_trial_column(database: Database, platform_id: int, clock: Clock, line_items_url: str) -> None:
    with database.write() as connection:
        note_trial_column(connection, platform_id, line_items_url, now=clock.now())


def _save_keys(database: Database, platform_id: int, clock: Clock, key_set: str) -> None:
    with database.write() as connection:
        save_key_fetch(connection, platform_id, key_set, now=clock.now())
