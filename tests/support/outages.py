"""A company of a few people whose directory answers half, wrongly or not at all: nobody may leave and
no row may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peewee
import pytest

from syncd.directory.protocol import DirectorySource
from syncd.directory.sync import sync_source
from syncd.domain.clock import FOREVER
from syncd.domain.errors import EXIT_REFUSED, EXIT_TRY_AGAIN, UserError
from syncd.settings.model import DirectorySettings
from syncd.store.models import Assignment, Party
from tests.directory_settings import Site
from tests.integration.slapd import PEOPLE
from tests.support.scripted_ldap import ber, message, octets
from tests.support.stores import lines

NOW = 1_790_000_000
COUNT = 24


def person(number: int, base: str = PEOPLE) -> tuple[str, dict[str, list[str | bytes]]]:
    uid = f"user{number:02}"
    return f"uid={uid},{base}", {
        "entryUUID": [f"00000000-0000-4000-8000-{number:012}"],
        "uid": [uid],
        "cn": [f"Person {number}"],
        "telephoneNumber": [f"20{number:02}"],
        "departmentNumber": ["Sales"],
    }


EVERYBODY = [person(number) for number in range(COUNT)]

GARBAGE = {
    "random": bytes(range(256)),
    "zeros": bytes(64),
    "http": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    "endless": b"\x30\x84\x7f\xff\xff\xff\x02\x01",
    "broken-entry": message(2, ber(0x64, octets(f"uid=user00,{PEOPLE}"), b"\x30\x05\x30\x03\x04")),
    "no-operation": ber(0x30, b"\x02\x01\x02"),
    "text-id": ber(0x30, octets("two"), ber(0x65, b"")),
    "short-result": message(3, ber(0x65, b"\x0a\x01")),
}
"""What is no LDAP."""


def dump(database: peewee.Database) -> str:
    """Return everything that the database holds, but for the record of runs."""
    skipped = ('"syncrun"', '"sync_run"', '"sourcestate"', '"source_state"')
    found = lines(database.connection())
    return "\n".join(line for line in found if not any(name in line for name in skipped))


class Outage:
    """A directory that was read once completely, and then is not."""

    def __init__(self, store: peewee.Database) -> None:
        self.store = store
        self.now = NOW

    def sync(self, settings: DirectorySettings, source: DirectorySource, **how: Any) -> Any:
        self.now += 3600
        return sync_source(settings, source, [Site("hq")], now=self.now, **how)

    def refused(
        self,
        settings: DirectorySettings,
        source: Callable[[], DirectorySource],
        codes: tuple[int, ...] = (EXIT_REFUSED, EXIT_TRY_AGAIN),
        **how: Any,
    ) -> UserError:
        """Sync in vain, as it is meant and as a dry run. Returns the error."""
        before = dump(self.store)
        numbers = Assignment.select().where(Assignment.valid_to == FOREVER).count()
        with pytest.raises(UserError) as caught:
            self.sync(settings, source(), **how)
        assert caught.value.exit_code in codes, caught.value
        assert dump(self.store) == before
        assert Party.select().where(Party.departed_at.is_null(is_null=False)).count() == 0
        assert Assignment.select().where(Assignment.valid_to == FOREVER).count() == numbers
        with pytest.raises(type(caught.value)) as again:
            self.sync(settings, source(), check=True, **how)
        assert again.value.exit_code == caught.value.exit_code
        assert dump(self.store) == before
        return caught.value
