"""Where personal data may go without more ado, and where only with a contract: the EEA, and the countries whose
protection the European Commission has found adequate.

The list is data, and has a date: decisions are made, renewed and withdrawn. Named data: whatever shows one person,
by name, by their number in an LMS or by a pseudonym. Protected counts show nobody and are not held to this rule.
"""

from dataclasses import dataclass
from datetime import date

LOOKED_UP_ON = date(2026, 11, 27)  # when this list was last compared with its source
SOURCE = (
    "https://commission.europa.eu/law/law-topic/data-protection/"
    "international-dimension-data-protection/adequacy-decisions_en"
)

EEA = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"),
        *("LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
        *("IS", "LI", "NO"),
    }
)  # the European Union; and Iceland, Liechtenstein, Norway: https://www.efta.int/eea


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One adequacy decision. `only_for`: whom it covers, where that is not everybody; a university is not among them,
    so for us such a country has none. `until`: it ends with that day, unless renewed."""

    country: str
    decided: str
    only_for: str = ""
    until: date | None = None


ADEQUATE = (
    Decision(country="AD", decided="2010/625/EU"),
    Decision(country="AR", decided="2003/490/EC"),
    Decision(country="BR", decided="(EU) 2026/179"),
    Decision(country="CA", decided="2002/2/EC", only_for="commercial organisations"),
    Decision(country="CH", decided="2000/518/EC"),
    Decision(country="FO", decided="2010/146/EU"),
    Decision(country="GB", decided="(EU) 2021/1772, renewed in December 2025", until=date(2031, 12, 27)),
    Decision(country="GG", decided="2003/821/EC"),
    Decision(country="IL", decided="2011/61/EU"),
    Decision(country="IM", decided="2004/411/EC"),
    Decision(country="JE", decided="2008/393/EC"),
    Decision(country="JP", decided="(EU) 2019/419", only_for="businesses under its Act on personal information"),
    Decision(country="KR", decided="(EU) 2022/254"),
    Decision(country="NZ", decided="2013/65/EU"),
    Decision(country="US", decided="(EU) 2023/1795", only_for="companies that have certified themselves"),
    Decision(country="UY", decided="2012/484/EU"),
)


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where a university is. `has_instrument`: the coordinator has recorded the contract that covers its transfers."""

    country: str
    has_instrument: bool = False


def is_inside(country: str, today: date) -> bool:
    """Whether named data may go there from the EEA on the ground of the law alone. Unknown letters: no."""
    return country in EEA or any(_covers_universities(one, country, today) for one in ADEQUATE)


def may_cross(origin: Home, reader: Home, today: date) -> bool:
    """Whether named data of `origin` may be shown in, or handed to, `reader`.

    Always within one country: everybody keeps full use of their own data. Between two countries, each side that is
    outside needs its instrument: looking at a screen is a transfer, and what comes from there stands under its law.
    """
    if origin.country == reader.country:
        return True
    return all(is_inside(one.country, today) or one.has_instrument for one in (origin, reader))


def _covers_universities(decision: Decision, country: str, today: date) -> bool:
    is_over = decision.until is not None and today > decision.until
    return decision.country == country and not decision.only_for and not is_over
