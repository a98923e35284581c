"""The courses of a campus: the one of its description, and copies of it."""

from dataclasses import dataclass

from sandbox_lms.site import Site


class NoSuchCourse(Exception):
    """There is no course of this number here."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """`history`: ids of the courses that it is a copy of, newest first."""

    course_id: int
    title: str
    label: str
    history: tuple[int, ...] = ()


def all_courses(site: Site) -> list[Course]:
    """The first one is the campus's own."""
    campus = site.campus
    with site.database.read() as connection:
        rows = connection.execute("SELECT * FROM course WHERE campus = ? ORDER BY course_id", (site.slug,)).fetchall()
    first = Course(course_id=campus.course_id, title=campus.course_title, label=campus.course_label)
    return [first, *(_course(site, dict(row)) for row in rows)]


def find_course(site: Site, course_id: int) -> Course:
    """Raises NoSuchCourse."""
    for course in all_courses(site):
        if course.course_id == course_id:
            return course
    raise NoSuchCourse


def add_copy(site: Site, original: Course) -> Course:
    """The course alone, without what is in it."""
    new_id = max(course.course_id for course in all_courses(site)) + 1
    history = (original.course_id, *original.history)
    with site.database.write() as connection:
        connection.execute(
            "INSERT INTO course (campus, course_id, title, history) VALUES (?, ?, ?, ?)",
            (site.slug, new_id, f"{original.title} copy {new_id}", ",".join(map(str, history))),
        )
    return find_course(site, new_id)


def _course(site: Site, row: dict[str, str]) -> Course:
    return Course(
        course_id=int(row["course_id"]),
        title=row["title"],
        label=f"{site.campus.course_label}-{row['course_id']}",
        history=tuple(map(int, row["history"].split(","))),
    )
