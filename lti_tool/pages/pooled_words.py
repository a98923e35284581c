"""What stands out, and when numbers are renewed, in words."""

from dataclasses import dataclass

from lti_tool.pages.pooled_cells import Head
from lti_tool.pages.pooled_reading import Results
from lti_tool.pages.pooled_table import heads_of
from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from series.pooled import Block
from series.standing_out import Finding, Kind, Point, what_stands_out

gettext = WORDS.gettext


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """On the viewer's clock. Empty: never so far, or never again."""

    at: str
    next_at: str


def renewed(results: Results, zone: str) -> Renewed:
    return Renewed(
        at=moment(results.pooled.step_at, zone) if results.pooled else "",
        next_at=moment(results.next_at, zone) if results.next_at else "",
    )


def points_of(results: Results) -> list[Point]:
    return [
        Point(
            block=head.block,
            is_over=head.block in results.columns,
            own_course=results.own.course.get(head.block, 0) if results.own else None,
            own_university=results.own.university.get(head.block, 0) if results.own else None,
            others=results.others_in(head.block),
        )
        for head in heads_of(results)
    ]


def findings_in_words(results: Results) -> list[str]:
    names = {head.block: _name(head) for head in heads_of(results)}
    columns = [results.columns[block] for block in names if block in results.columns]
    return [_words(one, names, results) for one in what_stands_out(points_of(results), columns)]


def _name(head: Head) -> str:
    return f"“{head.title}” ({head.day})" if head.day else head.title


def _words(one: Finding, names: dict[Block, str], results: Results) -> str:
    where, numbers = names[one.block], {"people": one.people, "usual": one.usual}
    match one.kind:
        case Kind.FEW if results.own:
            return gettext(
                "Few at the other universities: %(people)s people in %(where)s, usually about %(usual)s.",
                where=where,
                **numbers,
            )
        case Kind.FEW:
            return gettext("Few: %(people)s people in %(where)s, usually about %(usual)s.", where=where, **numbers)
        case Kind.FALL:
            return gettext("Fewer each time: from %(usual)s people to %(people)s in %(where)s.", where=where, **numbers)
        case Kind.OWN_FEW:
            return gettext(
                "Your course had fewer than usual in %(where)s: %(people)s people, usually about %(usual)s. "
                "Elsewhere it was as usual.",
                where=where,
                **numbers,
            )
        case Kind.OWN_MORE:
            return gettext(
                "Your course came as usual to %(where)s (%(people)s people), while fewer came elsewhere.",
                where=where,
                people=one.people,
            )
        case Kind.UNIVERSITY_FEW:
            return gettext(
                "%(university)s: %(people)s people in %(where)s, usually about %(usual)s.",
                university=results.universities[one.university_id or 0].name,
                where=where,
                **numbers,
            )
