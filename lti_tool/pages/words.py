"""The series' sentences in the language of the page."""

from flask_babel import gettext, ngettext

from series.rule_words import Words

WORDS = Words(gettext=gettext, ngettext=ngettext)
