"""PDFs: made of what is on the page, and of nothing that it names."""

import logging

import pytest

from lti_tool.printing import pdf_of

PAGE = '<!doctype html><html lang="en"><head><title>A report</title></head><body><h1>Αναφορά</h1>{}</body></html>'


def test_a_page_becomes_a_pdf() -> None:
    made = pdf_of(PAGE.format("<p>Twelve universities.</p>"))
    assert made.startswith(b"%PDF-")
    assert made.count(b"endobj") > 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/a.png", "file:///etc/passwd", "data:image/png;base64,AAAA"])
def test_nothing_is_fetched(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="weasyprint"):
        assert pdf_of(PAGE.format(f'<img alt="" src="{address}">')).startswith(b"%PDF-")
    assert "disallowed protocol" in caplog.text
