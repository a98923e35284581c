"""For everybody, before first use: the privacy notice, the data map, and all that a data-protection officer reads."""

from flask import Blueprint, Response, abort, make_response, render_template
from flask_babel import get_locale
from markupsafe import Markup

from lti_tool.pages.words import WORDS
from lti_tool.privacy_facts import facts_of
from lti_tool.tool import the_tool
from series.documents import as_html, as_markdown
from series.privacy.bundle import DOCUMENTS, data_files, version_line
from series.privacy.facts import VERSIONS, Facts

blueprint = Blueprint("privacy", __name__, url_prefix="/privacy")
TYPES = {"json": "application/json", "csv": "text/csv", "md": "text/markdown"}


@blueprint.get("/")
def show_notice() -> str:
    return _page("notice")


@blueprint.get("/data/")
def show_data_map() -> str:
    return _page("data-map")


@blueprint.get("/bundle/")
def show_bundle() -> str:
    documents = [make(_facts()) for make in DOCUMENTS.values()]
    return render_template("privacy_bundle.html", documents=documents, versions=VERSIONS)


@blueprint.get("/bundle/<name>/")
def show_document(name: str) -> str:
    return _page(name)


@blueprint.get("/bundle/<name>.<any(md, json, csv):ending>")
def download(name: str, ending: str) -> Response:
    facts = _facts()
    if ending == "md" and name in DOCUMENTS:
        document = DOCUMENTS[name](facts)
        text = f"{as_markdown(document)}\n{version_line(document, facts)}\n"
    else:
        text = data_files(facts).get(f"{name}.{ending}", "")
    if not text:
        abort(404)
    response = make_response(text)
    response.mimetype = TYPES[ending]
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return response


def _page(name: str) -> str:
    if name not in DOCUMENTS:
        abort(404)
    facts = _facts()
    document = DOCUMENTS[name](facts)
    return render_template(
        "privacy_document.html",
        document=document,
        body=Markup(as_html(document)),  # noqa: S704 - made of escaped texts
        version=version_line(document, facts),
        as_data=f"{name}.json" in data_files(facts),
    )


def _facts() -> Facts:
    tool = the_tool()
    with tool.database.read() as connection:
        return facts_of(
            connection, tool.settings, now=tool.clock.now(), words=WORDS, language=str(get_locale() or "en")
        )
