"""Answers: everything that a browser, an LMS or a calendar client asks of us."""
