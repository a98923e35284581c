"""PDFs of our own pages: HTML in, a tagged PDF out."""

from pathlib import Path

STYLE = Path(__file__).parent / "static" / "pdf.css"


class NoPdfHere(Exception):
    """Pango is missing where we run: https://doc.courtbouillon.org/weasyprint/stable/first_steps.html#installation"""


def pdf_of(page: str) -> bytes:
    """`page`: a whole document. Nothing that it names by an address is fetched, whoever wrote it. Raises NoPdfHere.

    PDF/UA, which a screen reader reads: https://doc.courtbouillon.org/weasyprint/stable/common_use_cases.html
    """
    try:
        import weasyprint  # noqa: PLC0415 - takes half a second, and fails where Pango is missing
        from weasyprint.urls import URLFetcher  # noqa: PLC0415 - as above
    except OSError as error:
        raise NoPdfHere from error
    document = weasyprint.HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=()))
    made: bytes = document.write_pdf(stylesheets=[weasyprint.CSS(filename=STYLE)], pdf_variant="pdf/ua-1")
    return made
