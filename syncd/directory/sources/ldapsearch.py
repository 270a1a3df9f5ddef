"""A search as the command that repeats it, for the log: without the password, which is asked for."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

SCOPES = {"SUBTREE": "sub", "LEVEL": "one", "BASE": "base"}


def ldapsearch(
    url: str,
    *,
    base: str,
    scope: str,
    filter_text: str,
    attributes: Sequence[str],
    starttls: bool = False,
    bind_dn: str = "",
    external: bool = False,
    ca_file: Path | None = None,
    client_certificate: Path | None = None,
    client_key: Path | None = None,
    page_size: int | None = None,
    controls: Iterable[tuple[str, bool, Any]] = (),
) -> str:
    """Return the command, quoted for a shell; ``scope`` as ldap3 names it, a control is its object
    identifier, criticality and value."""
    words = []
    for name, path in (
        ("LDAPTLS_CACERT", ca_file),
        ("LDAPTLS_CERT", client_certificate),
        ("LDAPTLS_KEY", client_key or client_certificate),
    ):
        if path is not None:
            words.append(f"{name}={path}")
    words += ["ldapsearch", "-LLL", "-H", url]
    if starttls:
        words.append("-ZZ")
    if external:
        words += ["-Q", "-Y", "EXTERNAL"]
    elif bind_dn:
        words += ["-x", "-D", bind_dn, "-W"]
    else:
        words.append("-x")
    words += ["-a", "never", "-b", base, "-s", SCOPES.get(scope, "sub")]
    if page_size:
        words += ["-E", f"!pr={page_size}/noprompt"]
    for identifier, critical, value in controls:
        text = f"{'!' if critical else ''}{identifier}"
        if isinstance(value, bytes) and value:
            text += f"=::{base64.b64encode(value).decode('ascii')}"
        words += ["-E", text]
    words.append(filter_text)
    words += attributes
    return " ".join(map(shlex.quote, words))
