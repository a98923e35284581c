"""The report for the funder: as a page, a PDF and an Excel file, all of the same published totals."""

from flask import Blueprint, Response, make_response, render_template
from flask_babel import get_locale

from lti_tool.pages.plan import require, series_or_404
from lti_tool.pages.pooled_files import file_answer, xlsx_answer
from lti_tool.pages.report_rows import sheets_of
from lti_tool.pages.report_words import words_of
from lti_tool.pages.staff_proof import who, with_staff
from lti_tool.printing import NoPdfHere, pdf_of
from lti_tool.tool import the_tool
from series.permissions import Action
from series.protection import publish_totals
from series.report import Report, make_report
from series.staff import Staff
from series.store.audit import append_audit
from series.store.course_audiences import taught_courses
from series.store.pooled import steps_of
from series.store.pooled_settings import pooled_by_of
from series.store.sessions import sessions_of
from series.store.universities import list_universities

blueprint = Blueprint("report", __name__, url_prefix="/coordinator/series/<slug>")


@blueprint.get("/report/")
@with_staff
def show(staff: Staff, slug: str) -> str:
    words = words_of(_read(staff, slug, Action.SEE_POOLED))
    return render_template("report.html", staff=staff, series=words.report.series, report=words)


@blueprint.get("/report.pdf")
@with_staff
def as_pdf(staff: Staff, slug: str) -> Response:
    words = words_of(_read(staff, slug, "export_report", format="pdf"))
    page = render_template("report_pdf.html", series=words.report.series, report=words, language=get_locale() or "en")
    try:
        made = pdf_of(page)
    except NoPdfHere:
        series = words.report.series
        return make_response(render_template("report.html", staff=staff, series=series, report=words, no_pdf=True), 503)
    return file_answer(made, "application/pdf", f"{slug}-report.pdf")


@blueprint.get("/report.xlsx")
@with_staff
def as_xlsx(staff: Staff, slug: str) -> Response:
    words = words_of(_read(staff, slug, "export_report", format="xlsx"))
    return xlsx_answer(sheets_of(words), f"{slug}-report")


def _read(staff: Staff, slug: str, action: str, **detail: str) -> Report:
    require(staff, Action.SEE_POOLED)
    tool = the_tool()
    now = tool.clock.now()
    with tool.database.read() as connection:
        series = series_or_404(connection, slug)
        by = pooled_by_of(connection, series.series_id)
        report = make_report(
            series,
            sessions=sessions_of(connection, series.series_id),
            courses=taught_courses(connection, series.series_id),
            universities={one.university_id: one for one in list_universities(connection)},
            totals=publish_totals(steps_of(connection, series.series_id), by=by) if by else None,
            now=now,
        )
    with tool.database.write() as connection:
        thing = f"series {series.series_id}"
        append_audit(connection, actor=who(staff), action=action, thing=thing, now=now, **detail)
    return report
