"""What stands out, and when numbers are renewed, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from lti_tool.pages.pooled_cells import Head
from lti_tool.pages.pooled_reading import Results
from lti_tool.pages.pooled_table import heads_of, weeks_of
from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from series.pooled import Block
from series.standing_out import Finding, Kind, Point, what_stands_out

gettext, ngettext = WORDS.gettext, WORDS.ngettext


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """On the viewer's clock. Empty: never so far, or never again. `people_at`: only if that was before `at`."""

    at: str
    next_at: str
    people_at: str = ""
    smallest_group: int = 0


def renewed(results: Results, zone: str) -> Renewed:
    pooled = results.pooled
    is_older = pooled is not None and pooled.people_at not in {None, pooled.step_at}
    return Renewed(
        at=moment(pooled.step_at, zone) if pooled else "",
        next_at=moment(results.next_at, zone) if results.next_at else "",
        smallest_group=results.smallest_group,
        people_at=moment(pooled.people_at, zone) if is_older and pooled and pooled.people_at else "",
    )


def _points(heads: Sequence[Head], results: Results) -> list[Point]:
    return [
        Point(
            block=head.block,
            is_over=results.is_counted(head.block),
            own_course=results.own.course.get(head.block, 0) if results.own else None,
            others=None if results.older_step_of(head.block) else results.others_in(head.block),
        )
        for head in heads
    ]


def findings_in_words(results: Results) -> list[str]:
    heads, weeks = heads_of(results), weeks_of(results)
    names = {head.block: _name(head) for head in (*heads, *weeks)}
    columns = [results.columns[head.block] for head in heads if head.block in results.columns]
    found = what_stands_out(_points(weeks, results), columns, of_columns=_points(heads, results))
    return [_words(one, names, results) for one in found]


def _name(head: Head) -> str:
    return f"“{head.title}” ({head.day})" if head.day else head.title


def _words(one: Finding, names: dict[Block, str], results: Results) -> str:
    where, usual = names[one.block], one.usual
    people = ngettext("%(num)s person", "%(num)s people", one.people)
    match one.kind:
        case Kind.FEW if results.own:
            return gettext(
                "Few at the other universities: %(people)s in %(where)s, usually about %(usual)s.",
                people=people,
                where=where,
                usual=usual,
            )
        case Kind.FEW:
            return gettext(
                "Few: %(people)s in %(where)s, usually about %(usual)s.", people=people, where=where, usual=usual
            )
        case Kind.FALL:
            return gettext(
                "Fewer each time: from %(before)s down to %(people)s in %(where)s.",
                before=usual,
                people=people,
                where=where,
            )
        case Kind.OWN_FEW:
            return gettext(
                "Your course had fewer than usual in %(where)s: %(people)s, usually about %(usual)s. "
                "Elsewhere it was as usual.",
                people=people,
                where=where,
                usual=usual,
            )
        case Kind.OWN_MORE:
            return gettext(
                "Your course came as usual to %(where)s (%(people)s), while fewer came elsewhere.",
                people=people,
                where=where,
            )
        case Kind.UNIVERSITY_FEW:
            return gettext(
                "%(university)s: %(people)s in %(where)s, usually about %(usual)s.",
                university=results.universities[one.university_id or 0].name,
                people=people,
                where=where,
                usual=usual,
            )
