"""From checked sections to the frozen Settings; nothing can go wrong here any more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from syncd.domain.errors import Problem
from syncd.settings import model
from syncd.settings.build_finance import build_finance
from syncd.settings.build_mailing import build_mailing
from syncd.settings.decks import DeckSettings
from syncd.settings.parsed import Parsed, ParsedSection
from syncd.settings.retention import RetentionSettings
from syncd.settings.schema import CDR
from syncd.settings.schema_people import DIRECTORY, PLACE_MAPPING
from syncd.settings.secret import Secret


def build(parsed: Parsed, file: Path, warnings: tuple[Problem, ...]) -> model.Settings:
    """Return the settings of sections that have no problem. ``file`` is the main INI file."""
    general = parsed.one("syncd").values
    state: Path = general["state_directory"]
    zone: ZoneInfo = general["timezone"]
    trunks = [
        model.TrunkSettings(name=name, **section.values)
        for name, section in parsed.of("trunk").items()
    ]
    labels = parsed.one("custom-fields").values
    return model.Settings(
        file=file,
        state_directory=state,
        timezone=zone,
        currency=general["currency"],
        database_url=_database_url(parsed.one("database").values["url"], state),
        database_password=_database_password(parsed.one("database")),
        directories={
            name: _directory(section, parsed.of("map")[name], parsed.of("groups").get(name))
            for name, section in parsed.of("directory").items()
        }
        | {
            name: _places(section, file.parent)
            for name, section in parsed.of("places").items()
            if section.get("file") is not None
        },
        sites={name: _site(section, zone) for name, section in parsed.of("site").items()},
        trunks=tuple(sorted(trunks, key=lambda trunk: not trunk.narrow)),
        carriers={name: _carrier(section) for name, section in parsed.of("carrier").items()},
        bands={
            name: model.BandSettings(name=name, **section.values)
            for name, section in parsed.of("bands").items()
        },
        exchange=parsed.one("exchange").values["file"],
        cdr={name: _cdr(section, state) for name, section in parsed.of("cdr").items()},
        licensing=model.LicensingSettings(**parsed.one("licensing").values),
        reports=model.ReportSettings(
            **parsed.one("reports").values,
            levels={
                name: section.values["level"]
                for name, section in parsed.of("report").items()
                if section.values["level"] is not None
            },
            saved={
                name: model.SavedReportSettings(name, **section.values)
                for name, section in parsed.of("saved-report").items()
                if section.values["report"]
            },
        ),
        account_codes=parsed.one("account-codes").values["file"],
        custom_fields={name: label for name, label in labels.items() if label},
        daemon=model.DaemonSettings(**parsed.one("daemon").values),
        logging=model.LoggingSettings(**parsed.one("logging").values),
        finance=build_finance(parsed),
        mailing=build_mailing(parsed),
        retention=RetentionSettings(**parsed.one("retention").values),
        decks={
            name: DeckSettings(name=name, **section.values)
            for name, section in parsed.of("deck").items()
        },
        origins={
            (section.raw.header, name): model.Origin(option.file, option.line, option.text)
            for section in parsed.sections.values()
            for name, option in section.raw.options.items()
        },
        warnings=warnings,
    )


def _database_password(section: ParsedSection) -> Secret | None:
    file, credential = section.values["password_file"], section.values["password_credential"]
    if not file and not credential:
        return None
    return Secret(
        section="database",
        file=file,
        credential=credential,
        file_option="password_file",
        credential_option="password_credential",
        complaint="the database cannot be asked",
    )


def _database_url(url: str, state: Path) -> str:
    name = url.removeprefix(model.SQLITE)
    if name == url or name == ":memory:":
        return url
    return f"{model.SQLITE}{state / name}"


def _directory(
    section: ParsedSection, mapping: ParsedSection, groups: ParsedSection | None
) -> model.DirectorySettings:
    values = dict(section.values)
    if not values["tls"]:
        secure = not any(server.startswith("ldap:") for server in values["servers"])
        values["tls"] = "ldaps" if secure else "starttls"
    written = {name: raw for name, raw in mapping.raw.options.items() if raw.text}
    return model.DirectorySettings(
        name=section.name,
        **values,
        mapping={name: mapping.values[name] for name in written},
        mapping_lines={name: raw.line for name, raw in written.items()},
        mapping_files={name: raw.file for name, raw in written.items()},
        groups=_groups(groups) if groups else (),
    )


def _groups(section: ParsedSection) -> tuple[model.GroupSettings, ...]:
    found = []
    for name, entry_dn in section.values["entry_dns"]:
        granted = {
            option.attribute: value
            for option in section.section.options
            for key, value in section.values[option.attribute]
            if option.name and key == name
        }
        raw = section.raw.options[name]
        found.append(
            model.GroupSettings(
                name=name, entry_dn=entry_dn, **granted, file=raw.file, line=raw.line
            )
        )
    return tuple(found)


def _places(section: ParsedSection, base: Path) -> model.DirectorySettings:
    """Return a list of places as the directory that it is: what it says under the names of its
    columns fills the fields of a party."""
    values = ParsedSection(DIRECTORY, section.name, replace(section.raw, options={}))
    values.parse(base)
    options = values.values | {"type": model.PLACES, "tls": "none"} | section.values
    return model.DirectorySettings(name=section.name, **options, mapping=dict(PLACE_MAPPING))


def _site(section: ParsedSection, zone: ZoneInfo) -> model.SiteSettings:
    values = dict(section.values)
    values["timezone"] = values["timezone"] or zone
    values["number_rules"] = tuple(rule._replace(name=key) for key, rule in values["number_rules"])
    values["dids"] = tuple(own for _, own in values["dids"])
    return model.SiteSettings(name=section.name, **values)


def _carrier(section: ParsedSection) -> model.CarrierSettings:
    values = dict(section.values)
    for kind in ("tariffs", "incoming"):
        tariffs = [tariff._replace(version=key) for key, tariff in values[kind]]
        values[kind] = tuple(sorted(tariffs, key=lambda tariff: tariff.valid_from))
    for kind in ("surcharges", "discounts"):
        values[kind] = tuple(one._replace(name=key) for key, one in values[kind])
    values["currency"] = values["currency"] or ""
    return model.CarrierSettings(name=section.name, **values)


def _cdr(section: ParsedSection, state: Path) -> model.CdrSettings:
    values = dict(section.values)
    values["pbx"] = values["pbx"] or section.name
    if isinstance(values["archive"], bool):
        values["archive"] = state / "archive" / section.name if values["archive"] else None
    known = {option.attribute or option.name for option in CDR.options}
    own = {name: values.pop(name) for name in tuple(values) if name not in known}
    return model.CdrSettings(name=section.name, **values, options=own)
