"""Our own client at a pretend university without a server, and what goes wrong between them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import responses

from lms.errors import LmsError, Unreachable
from lms.guarded import GuardedSession
from lms.moodle import Moodle
from lms.moodle_events import EventDraft, EventProblem
from sandbox_lms.calendar import events_of_course
from tests.integration.in_process_moodle import CREATE, Fault, InProcessMoodle, Killed
from tests.unit.recordings import loopback_session

DRAFTS = [
    EventDraft(
        course_id=2,
        name=f"Workshop {number}",
        description="<p>Come</p>",
        start_at=datetime(2026, 11, 25, 15, tzinfo=UTC),
        duration_minutes=90,
    )
    for number in (1, 2)
]


class Faulty(InProcessMoodle):
    """Its first creation of events meets this fault."""

    planned: Fault | None = None

    def fault(self, function: str, call_number: int) -> Fault | None:
        return self.planned if function == CREATE and self.calls.count(CREATE) == 1 else None


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Faulty]:
    with responses.mock:
        site = Faulty(tmp_path)
        site.play()
        yield site


@pytest.fixture
def session() -> Iterator[GuardedSession]:
    with loopback_session() as session:
        yield session


@pytest.fixture
def moodle(site: Faulty, session: GuardedSession) -> Moodle:
    return Moodle(session, base_url=site.url, token=site.site.campus.moodle_token)


def names(site: Faulty) -> list[str]:
    return [event.name for event in events_of_course(site.site)]


def create(moodle: Moodle) -> list[object]:
    return list(moodle.create_calendar_events(DRAFTS))


def test_our_client_works_at_a_site_that_nobody_serves(site: Faulty, moodle: Moodle) -> None:
    assert moodle.site_info().user_id == 35
    assert create(moodle) == [1, 2]
    assert names(site) == ["Workshop 1", "Workshop 2"]
    assert len(site.calls) == 2


@pytest.mark.parametrize(
    ("fault", "error", "made"),
    [
        (Fault.TIMEOUT_BEFORE, Unreachable, 0),
        (Fault.TIMEOUT_AFTER, Unreachable, 2),
        (Fault.LATE, Unreachable, 0),
        (Fault.SERVER_ERROR, LmsError, 0),
        (Fault.SERVER_ERROR_AFTER, LmsError, 2),
        (Fault.DATABASE_DOWN, LmsError, 0),
        (Fault.TRUNCATED, LmsError, 2),
        (Fault.CRASH, Killed, 0),
        (Fault.CRASH_AFTER, Killed, 2),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_a_fault_is_heard_and_has_its_effect_or_has_not(
    site: Faulty, moodle: Moodle, fault: Fault, error: type[BaseException], made: int
) -> None:
    site.planned = fault
    with pytest.raises(error):
        create(moodle)
    assert len(names(site)) == made


def test_a_late_call_has_its_effect_when_it_is_let_through(site: Faulty, moodle: Moodle) -> None:
    site.planned = Fault.LATE
    with pytest.raises(Unreachable):
        create(moodle)
    create(moodle)
    assert len(names(site)) == 2
    site.let_late_ones_through()
    site.let_late_ones_through()
    assert len(names(site)) == 4


def test_of_a_form_that_is_cut_the_first_half_arrives(site: Faulty, moodle: Moodle) -> None:
    site.planned = Fault.CUT_FORM
    made, problem = create(moodle)
    assert (made, type(problem)) == (1, EventProblem)
    assert names(site) == ["Workshop 1"]


def test_a_site_starts_again_as_it_was(site: Faulty, moodle: Moodle) -> None:
    create(moodle)
    site.site.switches.set(maintenance=True)
    site.start_again()
    assert (names(site), site.calls) == ([], [])
    assert create(moodle) == [1, 2]
