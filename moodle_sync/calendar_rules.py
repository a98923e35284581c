"""Which recurrence rules we expand, and what each would cost.

The expansion cannot be stopped once it runs, and it searches until the year 9999 for a date that never comes. So a
rule is looked at first: only rules that a weekly series could have, only so many steps, and only if a date comes.
RFC 5545 section 3.3.10, https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10
"""

from datetime import UTC, date, datetime, time, timedelta

from icalendar import vRecur

MAX_STEPS = 20_000  # of one rule: 50 years of days
MAX_STEPS_PER_FILE = 200_000  # about one second
MAX_INTERVAL = 1_000
DAYS = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}  # the least that one period lasts
PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def rule_fault(rule: vRecur) -> str | None:
    """Why we do not expand `rule`, as the end of a sentence that begins with the event. None if we do."""
    frequency = str(rule.get("FREQ", [""])[0])
    if frequency not in DAYS or len(rule["FREQ"]) != 1:
        return f"repeats by FREQ={frequency or '?'}; only DAILY, WEEKLY, MONTHLY and YEARLY are read"
    for part in ("INTERVAL", "COUNT"):
        values = rule.get(part, [1])
        if len(values) != 1 or int(values[0]) < 1:
            return f"repeats with {part}={','.join(map(str, values))}; it must be 1 or more"
    if int(rule.get("INTERVAL", [1])[0]) > MAX_INTERVAL:
        return f"repeats with an INTERVAL of more than {MAX_INTERVAL:,}"
    unread = sorted({str(part).upper() for part in rule} - PARTS)
    if unread:
        return f"repeats by {', '.join(unread)}, which is not read"
    return _day_fault(rule)


def _day_fault(rule: vRecur) -> str | None:
    """Combinations of days that may never come, or that no series has."""
    ordinals = [abs(int(str(day)[:-2])) for day in rule.get("BYDAY", []) if str(day)[:-2]]
    if any(ordinal > 5 for ordinal in ordinals) or (ordinals and "BYMONTHDAY" in rule):
        return "repeats by BYDAY otherwise than the first to fifth or last weekday, which is not read"
    positions = [abs(int(position)) for position in rule.get("BYSETPOS", [])]
    monthly_weekday = str(rule["FREQ"][0]) == "MONTHLY" and "BYDAY" in rule and "BYMONTHDAY" not in rule
    if positions and (not monthly_weekday or ordinals or max(positions) > 4):
        return "repeats by BYSETPOS otherwise than for a weekday of a month, which is not read"
    return None


def end_of_rule_in_utc(rule: vRecur, series_start: datetime) -> None:
    """Rewrites UNTIL in place. A date means through that local day, where libraries take its first moment and lose
    the last session; a local time means the clocks of the series."""
    for until in rule.get("UNTIL", [])[:1]:
        if not isinstance(until, datetime):
            until = datetime.combine(until, time(23, 59, 59))  # noqa: PLW2901 - the zone follows
        if until.tzinfo is None:
            until = until.replace(tzinfo=series_start.tzinfo)  # noqa: PLW2901
        rule["UNTIL"] = [until.astimezone(UTC)]


def steps(rule: vRecur, first: date, last: date) -> int:
    """How many days the expansion looks at from `first` to `last`, about."""
    frequency = str(rule["FREQ"][0])
    periods = max(0, (last - first).days) // (DAYS[frequency] * int(rule.get("INTERVAL", [1])[0])) + 1
    if {"BYDAY", "BYMONTHDAY", "BYMONTH"} & set(rule):
        return periods * DAYS[frequency]
    return periods * (20 if frequency == "YEARLY" else 1)  # a year is laid out as a whole for its one day


def has_a_date(rule: vRecur, first: date, start: date, last: date) -> bool:
    """Whether the rule of a series that begins on `first` may have a date from `start` to `last`. It may say yes too
    often (it knows nothing of "the second Tuesday"), but then a date comes within some years."""
    if not {"BYDAY", "BYMONTHDAY", "BYMONTH"} & set(rule):
        return True
    start = max(first, start)
    days = (start + timedelta(days=number) for number in range((last - start).days + 1))
    return any(_matches(rule, first, day) for day in days)


def _matches(rule: vRecur, first: date, day: date) -> bool:
    weekdays = {str(weekday)[-2:].upper() for weekday in rule.get("BYDAY", [])}
    months = {int(month) for month in rule.get("BYMONTH", [])}
    month_days = {int(month_day) for month_day in rule.get("BYMONTHDAY", [])}
    days_from_end = day.day - 1 - _days_in_month(day)
    return (
        _period(rule, first, day) % int(rule.get("INTERVAL", [1])[0]) == 0
        and (not weekdays or WEEKDAYS[day.weekday()] in weekdays)
        and (not months or day.month in months)
        and (not month_days or day.day in month_days or days_from_end in month_days)
    )


def _period(rule: vRecur, first: date, day: date) -> int:
    """How many days, weeks, months or years of the rule lie between `first` and `day`."""
    match str(rule["FREQ"][0]):
        case "DAILY":
            return (day - first).days
        case "WEEKLY":
            week_start = WEEKDAYS.index(str(rule.get("WKST", ["MO"])[0]).upper())
            return (_week_begin(day, week_start) - _week_begin(first, week_start)).days // 7
        case "MONTHLY":
            return (day.year - first.year) * 12 + day.month - first.month
        case _:
            return day.year - first.year


def _week_begin(day: date, week_start: int) -> date:
    return day - timedelta(days=(day.weekday() - week_start) % 7)


def _days_in_month(day: date) -> int:
    following = day.replace(day=28) + timedelta(days=4)
    return (following - timedelta(days=following.day)).day
