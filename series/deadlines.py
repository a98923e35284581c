"""By when an answer is due to who demands something of us: one month. https://gdpr-info.eu/art-12-gdpr/ (3)"""

from calendar import monthrange
from datetime import datetime


def one_month_later(at: datetime) -> datetime:
    """The same day of the next month, or its last one. https://eur-lex.europa.eu/eli/reg/1971/1182/oj (Art. 3)"""
    year, month = at.year + at.month // 12, at.month % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, monthrange(year, month)[1]))
