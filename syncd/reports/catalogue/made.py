"""Reports that are not sums over call rows: each has a module of its own in ``reports/makers``."""

from __future__ import annotations

from syncd.reports.catalogue.entry import (
    OF_GROUPS,
    OF_NOW,
    OF_PERIOD,
    OF_ROWS,
    TODAY,
    CatalogueEntry,
    Group,
)

MADE = (
    CatalogueEntry(
        "frequent-numbers",
        "the outside numbers that were talked with most",
        make="numbers",
        takes=OF_ROWS,
        group=Group.WHERE,
        limit=50,
        counting="a line's part in a conversation with the number counts once",
    ),
    CatalogueEntry(
        "answer-times",
        "how soon those who were called answered, by department",
        ("department",),
        make="answer_times",
        takes=OF_GROUPS,
        group=Group.MISSED,
        counting="participations that begin with being called, by the seconds for which it rang",
    ),
    CatalogueEntry(
        "call-backs",
        "missed outside calls, and whether they were called back",
        make="call_backs",
        takes=OF_ROWS,
        group=Group.MISSED,
        counting="a row for each line that missed an outside call which nobody you see answered",
    ),
    CatalogueEntry(
        "queues",
        "queues and hunt groups: answered, given up, service level",
        make="queues",
        takes=OF_ROWS,
        group=Group.QUEUES,
        counting="a conversation with a pilot counts once, however many members it rang;"
        " the service level is what was answered in time, of all but those who hung up at once",
    ),
    CatalogueEntry(
        "queue-members",
        "which calls the members of queues were given, and answered",
        make="queue_members",
        takes=OF_ROWS,
        group=Group.QUEUES,
        counting="a record that names the member is a call that the member was given",
    ),
    CatalogueEntry(
        "budgets",
        "budgets of today's periods and what was spent of them",
        make="budgets",
        takes=OF_NOW,
        group=Group.MONEY,
        counting="the cost of the calls of a budget's period, as they are rated now",
        period=TODAY,
    ),
    CatalogueEntry(
        "trunk-load",
        "how busy the trunks were, billed calls or not",
        make="trunk_load",
        takes=OF_PERIOD,
        group=Group.SETUP,
        level=8,
        counting="an end of a record on a trunk is a seizure, unless an earlier record has its leg",
    ),
)
"""Reports with a maker."""
