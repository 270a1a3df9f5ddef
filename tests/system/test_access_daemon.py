"""A change of groups in the directory acts with the next report, while the daemon runs."""

from __future__ import annotations

from pathlib import Path

from tests.support.contract import PEOPLE, Company, internal, outgoing
from tests.system.daemon_process import Daemon

BOSSES = "cn=bosses,ou=people,dc=example,dc=com"


def test_who_leaves_a_group_sees_no_more(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.use_ldif(PEOPLE)
    ini = company.ini.read_text().replace("permission_level = title\n", "")
    company.ini.write_text(ini)
    company.set("groups:corp", **{"bosses": BOSSES, "bosses.permission_level": "8"})
    company.set("directory:corp", schedule="every 1 seconds")
    company.set("cdr:hq", settle="0 seconds", schedule="every 1 seconds")
    company.set("daemon", metrics="none")
    people = company.home / "people.ldif"
    plain = people.read_text()

    def members(*names: str) -> None:
        text = f"\ndn: {BOSSES}\nobjectClass: groupOfNames\ncn: bosses\n"
        text += "".join(f"member: uid={name},ou=people,dc=example,dc=com\n" for name in names)
        waiting = people.with_suffix(".new")
        waiting.write_text(plain + text)
        waiting.replace(people)

    members("hugo", "anna")
    company.deliver(
        [
            outgoing("a", "2026-03-02T10:00:00+01:00", "2001", "03331234567", talk=60),
            internal("b", "2026-03-05T10:00:00+01:00", "2003", "2002", talk=20),
        ]
    )
    daemon = Daemon(company.ini)
    try:
        daemon.event("file_ingested")
        assert len(company.rows("hugo")) == 3
        before = len(daemon.events)
        members("anna")
        daemon.event("sync_finished", before, outcome="applied")
        refused = company.run("report", "calls", "--as", "hugo")
        assert refused.err == "syncd: No billing data is available to hugo.\n"
        assert len(company.rows("anna")) == 3
        # A level by hand acts without any sync, and no sync takes it back.
        company.ok("access", "set", "hugo", "--level", "2", "--reason", "on call")
        assert company.rows("hugo") == []
        before = len(daemon.events)
        members("anna", "hugo", "bruno")
        daemon.event("sync_finished", before, outcome="applied")
        assert len(company.rows("bruno")) == 3
        assert company.rows("hugo") == []
        assert daemon.terminate() == 0
    finally:
        daemon.close()
