"""The last refusals of one LMS in plain words, each reason once."""

from dataclasses import dataclass

from flask_babel import gettext

from lti_tool.pages.refusal_words import WORDS
from lti_tool.pages.times import moment
from lti_tool.protocol.refusals import RefusalCode
from series.store.refusals import KeptRefusal


@dataclass(frozen=True, kw_only=True)
class RefusalLine:
    """`references`: of the newest ones, as the refused were shown them."""

    code: str
    times: int
    last: str
    references: list[str]
    person_saw: str
    to_change: str


SHOWN_REFERENCES = 5


def refusal_lines(refusals: list[KeptRefusal], zone: str) -> list[RefusalLine]:
    """The reason that occurred last comes first."""
    by_code: dict[str, list[KeptRefusal]] = {}
    for one in refusals:
        by_code.setdefault(one.code, []).append(one)
    return [_line(code, found, zone) for code, found in by_code.items()]


def _line(code: str, found: list[KeptRefusal], zone: str) -> RefusalLine:
    words = WORDS.get(RefusalCode(code)) if code in set(RefusalCode) else None  # one of another version has none
    return RefusalLine(
        code=code,
        times=len(found),
        last=moment(found[0].at, zone),
        references=[one.reference for one in found[:SHOWN_REFERENCES]],
        person_saw=str(words.for_person) if words else "",
        to_change=str(words.for_admin) if words else gettext("This reason is of another version of the tool."),
    )
