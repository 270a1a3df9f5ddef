"""The sources under contract need the session's LDAP server too."""

from __future__ import annotations

from tests.integration.conftest import secret, slapd, slapd_server

__all__ = ["secret", "slapd", "slapd_server"]
