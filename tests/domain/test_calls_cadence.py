"""The days of a rhythm, against calendars worked out by hand: nothing in the tables was computed by what is tested."""

from calendar import monthrange
from dataclasses import replace
from datetime import date, datetime, time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.domain.calls.rhythm import cadence, rules
from newsletter.domain.calls.rhythm.cadence import PRESETS, Rhythm
from newsletter.domain.calls.rhythm.rule_pieces import Pieces, Way, in_words, pieces_of
from newsletter.domain.calls.rhythm.rules import Line, parse
from newsletter.errors import Invalid
from newsletter.states import IssueNaming

RHYTHMS = {preset.name: preset.rhythm for preset in PRESETS}

# Of each issue: the day news closes, and the day it goes out. Bank holidays in England and Wales, 2026: 1 January,
# 3 and 6 April, 4 and 25 May, 31 August, 25 and 28 December. 2027: 1 January, 26 and 29 March, 3 and 31 May,
# 30 August, 27 and 28 December.
WORKED_OUT = {
    "third-friday": """
        Fri 16 Jan 2026  Thu 29 Jan 2026
        Fri 17 Apr 2026  Thu 30 Apr 2026
        Fri 17 Jul 2026  Thu 30 Jul 2026
        Fri 16 Oct 2026  Thu 29 Oct 2026
        Fri 15 Jan 2027  Thu 28 Jan 2027
        Fri 16 Apr 2027  Thu 29 Apr 2027
        Fri 16 Jul 2027  Thu 29 Jul 2027
        Fri 15 Oct 2027  Thu 28 Oct 2027
    """,
    # 22 February 2026 is a Sunday, and so are 22 November 2026 and 22 August 2027; 22 August 2026 and 22 May 2027
    # are Saturdays; 15 March 2026 is a Sunday.
    "fifteenth": """
        Fri 20 Feb 2026  Fri 13 Mar 2026
        Fri 22 May 2026  Mon 15 Jun 2026
        Fri 21 Aug 2026  Tue 15 Sep 2026
        Fri 20 Nov 2026  Tue 15 Dec 2026
        Mon 22 Feb 2027  Mon 15 Mar 2027
        Fri 21 May 2027  Tue 15 Jun 2027
        Fri 20 Aug 2027  Wed 15 Sep 2027
        Mon 22 Nov 2027  Wed 15 Dec 2027
    """,
    # Each Sunday moves to the Friday before it; that of 1 March 2026 into the month before.
    "first-sunday": """
        Fri 20 Feb 2026  Fri 27 Feb 2026
        Fri 15 May 2026  Fri 5 Jun 2026
        Fri 21 Aug 2026  Fri 4 Sep 2026
        Fri 20 Nov 2026  Fri 4 Dec 2026
        Fri 19 Feb 2027  Fri 5 Mar 2027
        Fri 21 May 2027  Fri 4 Jun 2027
        Fri 20 Aug 2027  Fri 3 Sep 2027
        Fri 19 Nov 2027  Fri 3 Dec 2027
    """,
    "monday-after": """
        Mon 19 Jan 2026  Thu 29 Jan 2026
        Mon 20 Apr 2026  Thu 30 Apr 2026
        Mon 20 Jul 2026  Thu 30 Jul 2026
        Mon 19 Oct 2026  Thu 29 Oct 2026
        Mon 18 Jan 2027  Thu 28 Jan 2027
        Mon 19 Apr 2027  Thu 29 Apr 2027
        Mon 19 Jul 2027  Thu 29 Jul 2027
        Mon 18 Oct 2027  Thu 28 Oct 2027
    """,
    "twenty-sixth": """
        Tue 24 Feb 2026  Thu 12 Mar 2026
        Tue 26 May 2026  Thu 11 Jun 2026
        Wed 26 Aug 2026  Thu 10 Sep 2026
        Thu 26 Nov 2026  Thu 10 Dec 2026
        Wed 24 Feb 2027  Thu 11 Mar 2027
        Wed 26 May 2027  Thu 10 Jun 2027
        Thu 26 Aug 2027  Thu 9 Sep 2027
        Fri 26 Nov 2027  Thu 9 Dec 2027
    """,
}


def table(text: str) -> list[list[date]]:
    """Its days, line by line; the weekday that was written must be the day's."""
    return [[_day(words) for words in line.strip().split("  ")] for line in text.strip().splitlines()]


def _day(words: str) -> date:
    day = datetime.strptime(words[4:], "%d %b %Y").date()
    assert words[:3] == f"{day:%a}"
    return day


@pytest.mark.parametrize("name", WORKED_OUT)
def test_two_years_of_a_rhythm_are_those_of_the_calendar(name: str) -> None:
    found = [*cadence.turns(RHYTHMS[name], 2026), *cadence.turns(RHYTHMS[name], 2027)]

    assert [[turn.deadline.day, turn.send.day] for turn in found] == table(WORKED_OUT[name])


@pytest.mark.parametrize("name", RHYTHMS)
def test_each_rhythm_to_begin_with_can_be_chosen_as_it_is(name: str, now: datetime) -> None:
    assert cadence.checked(RHYTHMS[name], now) == RHYTHMS[name]
    assert name in WORKED_OUT


# By the same rules, days that fall on bank holidays: what was named, what it becomes, and why.
@pytest.mark.parametrize(
    ("rule", "region", "year", "at", "day", "why"),
    [
        ("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=3", "GB-ENG", 2026, 0, "Thu 2 Apr 2026",
         "Friday 3 April 2026 is Good Friday: moved to Thursday 2 April 2026."),
        ("FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=3FR", "GB-ENG", 2025, 1, "Thu 17 Apr 2025",
         "Friday 18 April 2025 is Good Friday: moved to Thursday 17 April 2025."),
        # The Monday after is Easter Monday: over the weekend and Good Friday, back to the Thursday.
        ("FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=MO;BYMONTHDAY=18,19,20,21,22,23,24", "GB-ENG", 2025, 1, "Thu 17 Apr 2025",
         "Monday 21 April 2025 is Easter Monday: moved to Thursday 17 April 2025."),
        ("FREQ=YEARLY;BYMONTH=3,6,9,12;BYDAY=1SU", "GB-ENG", 2026, 1, "Fri 5 Jun 2026",
         "Sunday 7 June 2026 is at the weekend: moved to Friday 5 June 2026."),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=28", "GB-ENG", 2026, 0, "Thu 24 Dec 2026",
         "Monday 28 December 2026 is the bank holiday for Boxing Day: moved to Thursday 24 December 2026."),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=28", "", 2026, 0, "Mon 28 Dec 2026", ""),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=30", "GB-SCT", 2026, 0, "Fri 27 Nov 2026",
         "Monday 30 November 2026 is Saint Andrew's Day: moved to Friday 27 November 2026."),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=30", "GB-ENG", 2026, 0, "Mon 30 Nov 2026", ""),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=17", "GB-NIR", 2026, 0, "Mon 16 Mar 2026",
         "Tuesday 17 March 2026 is Saint Patrick's Day: moved to Monday 16 March 2026."),
        # The first of January moves into the year before, and is its turn all the same.
        ("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1", "GB-ENG", 2027, 0, "Thu 31 Dec 2026",
         "Friday 1 January 2027 is New Year's Day: moved to Thursday 31 December 2026."),
    ],
)  # fmt: skip
def test_a_day_that_is_no_working_day_moves_and_says_why(
    rule: str, region: str, year: int, at: int, day: str, why: str
) -> None:
    monthly = Rhythm(rule, "FREQ=MONTHLY;BYMONTHDAY=8", region=region)
    months = len(parse(rule).days(year))
    deadline = "\n".join(
        f"FREQ=YEARLY;BYMONTH={(each.month + 10) % 12 + 1};BYMONTHDAY=8" for each in parse(rule).days(year)
    )
    found = cadence.turns(replace(monthly, deadline_rule=deadline), year)

    assert len(found) == months
    assert (found[at].send.day, found[at].send.moved) == (_day(day), why)
    assert found[at].key.year == year


def test_the_day_of_approval_counts_back_over_holidays() -> None:
    """Thursday 2 April 2026 is the working day before Tuesday 7 April: Good Friday and Easter Monday lie between."""
    easter = Rhythm("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=7", "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=20", approval_days_before=1)

    assert cadence.turns(easter, 2026)[0].approval == date(2026, 4, 2)
    assert cadence.turns(replace(easter, approval_days_before=0), 2026)[0].approval == date(2026, 4, 7)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=3FR", "the third Friday of January, April, July and October"),
        ("rrule:freq=yearly; bymonth=10,1,4,7; byday=+3FR; interval=1; wkst=MO",
         "the third Friday of January, April, July and October"),
        ("FREQ=YEARLY;BYMONTH=2,5,8,11;BYMONTHDAY=22", "the 22nd of February, May, August and November"),
        ("FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=18,19,20,21,22,23,24", "the Monday after the third Friday of every month"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=8,9,10,11,12,13,14", "the second Friday of every month"),
        ("FREQ=YEARLY;BYMONTH=5,8,11;BYMONTHDAY=26\nFREQ=YEARLY;BYMONTH=2;BYMONTHDAY=24",
         "the 26th of May, August and November, and the 24th of February"),
        ("FREQ=MONTHLY;BYDAY=-1TH", "the last Thursday of every month"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "the last day of every month"),
        ("FREQ=MONTHLY;BYDAY=1MO,3MO", "the first Monday and the third Monday of every month"),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1,11", "the 1st and the 11th of December"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
         "the days of the rule FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
    ],
)  # fmt: skip
def test_a_rule_is_said_in_words_and_comes_back_from_its_pieces(rule: str, words: str) -> None:
    assert in_words(rule) == words
    assert parse(pieces_of(parse(rule)).text).days(2027) == parse(rule).days(2027)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("", "Write a rule, such as"),
        ("every third Friday", "is no part of a rule"),
        ("FREQ=WEEKLY;BYDAY=FR", "begins with FREQ=YEARLY or FREQ=MONTHLY"),
        ("FREQ=YEARLY;BYMONTH=1;BYDAY=3FR;COUNT=4", "Leave COUNT out"),
        ("FREQ=YEARLY;BYMONTH=1;BYDAY=3FR;UNTIL=20301231", "Leave UNTIL out"),
        ("DTSTART:20260101T090000\nFREQ=MONTHLY;BYDAY=3FR", "Leave DTSTART out"),
        ("FREQ=MONTHLY;BYDAY=3FR;INTERVAL=3", "Leave INTERVAL out, and name the months"),
        ("FREQ=MONTHLY;BYDAY=3FR;INTERVAL=0", "Leave INTERVAL out, and name the months"),
        ("FREQ=YEARLY;BYEASTER=1", "BYEASTER is not used here"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "BYWEEKNO is not used here"),
        ("FREQ=YEARLY;BYMONTH=1,4", "Say which day"),
        ("FREQ=YEARLY;BYDAY=3FR", "says its months"),
        ("FREQ=YEARLY;BYMONTH=13;BYDAY=3FR", "BYMONTH cannot be “13”"),
        ("FREQ=YEARLY;BYMONTH=1;BYDAY=9FR", "BYDAY cannot be “9FR”"),
        ("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=0", "BYMONTHDAY cannot be “0”"),
        ("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=٣", "BYMONTHDAY cannot be"),
        ("FREQ=YEARLY;BYMONTH=1;BYMONTH=2;BYDAY=3FR", "BYMONTH stands there twice"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never such a day in February"),
        ("FREQ=MONTHLY;BYDAY=1FR;BYMONTHDAY=20", "never such a day in January"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "February does not have the same number"),
        ("FREQ=MONTHLY;BYDAY=5FR", "January does not have the same number"),
        # Of four Mondays the third is the last but one: one day in some years, two in others.
        ("FREQ=YEARLY;BYMONTH=1;BYDAY=3MO,-2MO", "January does not have the same number"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,11,21", "36 days a year; 26 are the most"),
        ("FREQ=YEARLY;BYMONTH=1;BYDAY=MO,TU;BYSETPOS=1", "write FREQ=MONTHLY"),
        ("\n".join(f"FREQ=MONTHLY;BYMONTHDAY={day}" for day in range(1, 8)), "6 lines at most"),
        ("FREQ=MONTHLY;BYMONTHDAY=" + "1," * 1000, "6 lines at most"),
    ],
)
def test_a_rule_that_cannot_be_used_says_what_is_wrong(rule: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse(rule)


_MONTHS = st.lists(st.integers(1, 12), min_size=1, unique=True).map(lambda months: tuple(sorted(months)))
_WEEKDAY = st.tuples(st.sampled_from([1, 2, 3, 4, -1, -2]), st.integers(0, 6))
#: Of one weekday, all counted from one end: from both ends, two may be the same day in some years, and are refused.
_WEEKDAYS = st.lists(_WEEKDAY, min_size=1, max_size=2, unique=True).filter(
    lambda days: len({weekday for _number, weekday in days}) == len({(weekday, number > 0) for number, weekday in days})
)
_LINES = st.one_of(
    st.builds(Line, st.just(True), _MONTHS, _WEEKDAYS.map(tuple)),
    st.builds(Line, st.just(True), _MONTHS, st.just(()), st.integers(1, 28).map(lambda day: (day,))),
    st.builds(Line, st.just(True), _MONTHS, st.just(()), st.integers(-28, -1).map(lambda day: (day,))),
)


@given(_LINES, st.integers(2024, 2051))
@example(Line(True, (2,), days=(-1,)), 2028)
def test_the_days_of_a_rule_are_those_of_a_calendar(line: Line, year: int) -> None:
    """Found by walking through each month with a calendar, and asking of each day whether it is meant."""
    meant = {
        date(year, month, day)
        for month in line.months
        for day in range(1, monthrange(year, month)[1] + 1)
        for weekday in [date(year, month, day).weekday()]
        for left in [monthrange(year, month)[1] - day]
        if day in line.days
        or -left - 1 in line.days
        or (day // 7 + (day % 7 > 0), weekday) in line.weekdays
        or (-(left // 7) - 1, weekday) in line.weekdays
    }
    assert set(parse(line.text).days(year)) == meant
    assert parse(parse(line.text).text) == parse(line.text)


def test_pieces_without_days_are_refused_too() -> None:
    with pytest.raises(ValueError, match="BYMONTHDAY cannot be “32”"):
        parse(Pieces(Way.AFTER, (1, 4), 4, weekday=4, later=3).text)
    # "The 31st" of a month that has thirty days.
    with pytest.raises(ValueError, match="never such a day in April"):
        parse(Pieces(Way.DAY, (4,), day=31).text)


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"send_rule": "monthly"}, "send_rule", "no part of a rule"),
        ({"region": "GB-XX"}, "region", "“GB-XX”"),
        ({"region": "../etc"}, "region", "by a code such as GB-ENG"),
        ({"approval_days_before": -1}, "approval_days_before", "from 0 to 20"),
        ({"reminder_days": (14, 0)}, "reminder_days", "such as 14, 3, 1"),
        ({"deadline_rule": "FREQ=YEARLY;BYMONTH=1,4,7;BYDAY=3FR"}, "deadline_rule", "has no deadline of its own"),
        ({"deadline_rule": "FREQ=MONTHLY;BYDAY=3FR"}, "deadline_rule", "3 deadlines"),
        # Of the same day: the deadline would be that of the issue after.
        ({"deadline_rule": "FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=-1TH"}, "deadline_rule", "has no deadline of its own"),
        # Saturday and Sunday of one weekend both become the Friday.
        ({"send_rule": "FREQ=YEARLY;BYMONTH=1;BYDAY=SU;BYMONTHDAY=2,3,4,5,6,7,8",
          "deadline_rule": "FREQ=YEARLY;BYMONTH=1;BYDAY=1SA"}, "deadline_rule", "on the day news for it closes"),
        ({"send_rule": "FREQ=MONTHLY;BYDAY=-1TH", "deadline_rule": "FREQ=MONTHLY;BYDAY=2FR",
          "naming": IssueNaming.SEASON}, "naming", "“Winter 2026”"),
    ],
)  # fmt: skip
def test_a_rhythm_that_does_not_fit_says_where(
    change: dict[str, object], field: str, sentence: str, now: datetime
) -> None:
    with pytest.raises(Invalid) as caught:
        cadence.checked(replace(RHYTHMS["third-friday"], **change), now)
    assert [problem.field for problem in caught.value.problems] == [field]
    assert sentence in caught.value.problems[0].sentence


def test_the_next_turns_are_those_after_a_day() -> None:
    found = cadence.next_turns(RHYTHMS["first-sunday"], date(2026, 2, 27), 4)

    assert [turn.key for turn in found] == [date(2026, 6, 7), date(2026, 9, 6), date(2026, 12, 6), date(2027, 3, 7)]


def test_what_is_kept_is_written_in_one_way(now: datetime) -> None:
    typed = Rhythm(
        "rrule:freq=yearly;bymonth=10,7,4,1;byday=-1th", "FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=3FR",
        time(9, 30), reminder_days=(1, 3, 14, 3),
    )  # fmt: skip
    kept = cadence.checked(typed, now)

    assert kept.send_rule == "FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=-1TH"
    assert kept.reminder_days == (14, 3, 1)
    assert rules.parse(kept.send_rule).text == kept.send_rule
