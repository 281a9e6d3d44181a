"""Open an incident, import a version of its zone, put it in force, and say what a new version changes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import numpy as np

from geo import locate as geometry
from geo import overlay, sandbox
from geo.model import Alert, Options, ZoneFile, ZoneFileError
from relief.domain import incident as incident_
from relief.domain import zone as zone_
from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.incident import NewIncident as NewIncident
from relief.domain.policy import Actor, require
from relief.domain.zone import Area, BandMove, Difference, Moved, Overlaid
from relief.domain.zone import NewZone as NewZone
from relief.store import audits, incidents, locations, populations, regions, zone_sources, zones
from relief.store.db import Tx
from relief.store.locations import Places
from relief.store.zones import Band


async def open_incident(tx: Tx, actor: Actor, new: NewIncident, now: datetime) -> UUID:
    """Open an incident named by the rule; Conflict when it is open already, Invalid where the code is not a county."""
    require(actor, "incident.open", new.county)
    name = await name_of(tx, new, now)
    made = await incidents.insert(tx, name, new, actor.person, now)
    detail = {"county": new.county, "hazard": new.hazard, "drill": new.drill}
    await audits.add(tx, audits.SHARED, actor, "incident.open", "incident", [made], now, detail)
    return made


async def name_of(tx: Tx, new: NewIncident, now: datetime) -> str:
    """The name an incident would bear. Conflict where one of that name is open: it is probably the same one.

    After a namesake was closed (a false alarm, say) the next one is numbered.
    """
    incident_.check(new, now)
    county = await regions.get(tx, new.county)
    if county.level != "county":
        raise Invalid("not_a_county", "灾害须落在县（市、区） · an incident belongs to a county", county=new.county)
    name = incident_.name(beijing_day(new.occurred_at), county.name, new.hazard)
    namesakes = await incidents.named(tx, name, new.drill)
    if running := [i for i in namesakes if i.status != "closed"]:
        raise Conflict(
            "incident_exists",
            f"同名灾害事件“{running[0].name}”正在进行，请归入该事件 · {running[0].name} is open; it belongs there",
            incident=str(running[0].id),
        )
    return incident_.numbered(name, len(namesakes) + 1)


async def inspect(content: bytes, name: str, options: Options = Options()) -> ZoneFile:  # noqa: B008 - frozen
    """Understand an uploaded file in a child that may be killed; Invalid with the place (`at`: lon, lat) where it is wrong, and the
    wrong shape (`shape`: GeoJSON) where there is one to be seen.

    Call it before opening a transaction: it may take seconds.
    """
    try:
        return await sandbox.inspect(content, name, options)
    except ZoneFileError as error:
        shape = None if error.shape is None else msgspec.json.decode(error.shape)
        raise Invalid(error.code, error.message, at=error.at, shape=shape) from None


async def import_zone(
    tx: Tx,
    actor: Actor,
    incident: UUID,
    new: NewZone,
    content: bytes,
    bands: ZoneFile,
    now: datetime,
    options: Options = Options(),  # noqa: B008 - frozen
) -> UUID:
    """Keep a file as the next draft version with its bands and counties; `bands` is what `inspect` made of `content` with `options`.

    Conflict where this very file is a living version already; Refused where an alert may not be acted on.
    """
    zone_.check(new)
    found = await incidents.lock(tx, incident)
    require(actor, "zone.draft", found.county)
    if found.status == "closed":
        raise Conflict("incident_closed", "灾害事件已结束 · the incident is closed")
    if not found.drill:
        _check_real(bands.alert)
    if not bands.bands:
        raise Invalid("no_area", "文件没有范围；点须给出距离 · the file holds no area; a point needs a distance")
    digest = hashlib.sha256(content).digest()
    if (version := await zones.same_file(tx, incident, digest)) is not None:
        raise Conflict("zone_exists", f"该文件已是第{version}版灾区范围 · this very file is version {version} already", version=version)
    touched = overlay.zone_shares(bands.bands)
    if not touched:
        raise Invalid("no_county", "灾区范围没有落在任何县 · the zone touches no county")
    zone = await zones.insert(
        tx, incident, new.title.strip(), new.reason.strip(), digest, sum(b.area_km2 for b in bands.bands), actor.person, now
    )
    await zones.insert_bands(tx, zone, [Band(b.rank, b.label, b.level, b.wkb, *b.bounds, b.area_km2) for b in bands.bands])
    await zones.insert_counties(tx, zone, [(t.code, t.area_km2, t.share) for t in touched])
    await _keep_source(tx, zone, content, bands, options)
    detail = {
        "incident": str(incident), "file": digest.hex(), "format": bands.format, "bands": len(bands.bands),
        "counties": [t.code for t in touched], "repaired": len(bands.repairs),
    }  # fmt: skip
    await audits.add(tx, audits.SHARED, actor, "zone.draft", "zone", [zone], now, detail)
    return zone


def _check_real(alert: Alert | None) -> None:
    """Test, exercise, draft and unsigned messages are looked at, never acted on outside a drill."""
    if alert is None:
        return
    if alert.status != "Actual":
        raise Refused("alert_not_actual", "测试、演练或草稿预警只能用于演练 · a test, exercise or draft serves drills only")
    if not alert.signed:
        raise Refused("alert_unsigned", "没有签名的预警只能用于演练 · an unsigned alert serves drills only")
    if alert.kind == "Cancel":
        raise Refused("alert_cancel", "这是撤销消息，不是灾区范围 · this message cancels; it is no zone")


async def _keep_source(tx: Tx, zone: UUID, content: bytes, bands: ZoneFile, options: Options) -> None:
    """The file as received and what was mended in it: both geometries stay."""
    await zone_sources.insert(
        tx,
        zone_sources.Source(
            zone=zone,
            name=bands.name or bands.title,
            format=bands.format,
            crs=bands.crs,
            options=msgspec.json.encode(options).decode(),
            warnings=msgspec.json.encode(bands.warnings).decode(),
            alert=None if bands.alert is None else msgspec.json.encode(bands.alert).decode(),
            content=content,
            repaired=bool(bands.repairs) or any(w.code == "ring_closed" for w in bands.warnings),
        ),
    )
    await zone_sources.insert_mended(
        tx,
        zone,
        [
            zone_sources.Mended(r.code, *(r.at or (None, None)), r.before, r.area_before_km2, r.area_after_km2)  # type: ignore[call-arg]
            for r in bands.repairs
        ],
    )


async def put_in_force(tx: Tx, actor: Actor, zone: UUID, now: datetime, against: UUID | None = None) -> None:
    """Another person than the drafter makes a draft the version in force; the one before is superseded.

    `against` is the version in force whose `difference` to this one was looked at: nobody replaces a version without having been shown what
    that changes, nor after a third one has come between.
    """
    draft = await zones.get(tx, zone)
    incident = await incidents.lock(tx, draft.incident)
    require(actor, "zone.force", incident.county)
    if incident.status == "closed":
        raise Conflict("incident_closed", "灾害事件已结束 · the incident is closed")
    if draft.drafted_by == actor.person:
        raise Refused("same_person", "灾区范围须由另一人确认 · another person must put the zone in force")
    before = await zones.in_force(tx, draft.incident)
    if before is not None and before.version > draft.version:
        raise Conflict("zone_older", "已有更新的版本生效 · a newer version is in force", version=before.version)
    if before is not None and before.id not in (against, zone):
        raise Conflict(
            "zone_unseen",
            f"请先查看与生效的第{before.version}版的差异（户、县、资金），再确认 · look at what changes against version {before.version} in force first",
            version=before.version, against=str(before.id),
        )  # fmt: skip
    await zones.supersede(tx, draft.incident)
    if not await zones.force(tx, zone, actor.person, now):
        raise Conflict("zone_not_draft", "只有草稿可以生效 · only a draft can be put in force", status=draft.status)
    detail = {"incident": str(draft.incident), "version": draft.version, "before": None if before is None else before.version}
    await audits.add(tx, audits.SHARED, actor, "zone.force", "zone", [zone], now, detail)


async def discard(tx: Tx, actor: Actor, zone: UUID, reason: str, now: datetime) -> None:
    """Give up a draft that will not be used, with the reason; it stays to be read, and its file may come again. Conflict unless it is a draft."""
    zone_.check_text(reason)
    draft = await zones.get(tx, zone)
    incident = await incidents.lock(tx, draft.incident)
    require(actor, "zone.draft", incident.county)
    if not await zones.discard(tx, zone, reason.strip(), actor.person, now):
        raise Conflict("zone_not_draft", "只有草稿可以作废 · only a draft can be discarded", status=draft.status)
    detail = {"incident": str(draft.incident), "version": draft.version}
    await audits.add(tx, audits.SHARED, actor, "zone.discard", "zone", [zone], now, detail)


async def counties(tx: Tx, zone: UUID) -> list[str]:
    """Codes of the counties a version touches."""
    return [t.county for t in await zones.counties(tx, zone)]


async def overlaid(tx: Tx, zone: UUID) -> list[Overlaid]:
    """The counties a version touches, the largest part first, with the households this transaction may see; also of a draft."""
    version, bands, touched = await zones.get(tx, zone), await zones.bands(tx, zone), await zones.counties(tx, zone)
    counties = [t.county for t in touched]
    stored = await locations.counted(tx, counties, version.incident, zone)
    by_county: dict[str, dict[int, int]] = {}
    if all(c.rank != locations.UNLOCATED for c in stored):
        for c in stored:
            by_county.setdefault(c.county, {})[c.rank] = c.households
    else:
        found = await locations.places(tx, counties, version.incident, zone)
        place = await asyncio.to_thread(geometry.ranks, [b.geometry for b in bands], found.lon, found.lat, np.zeros(len(found.lon)))
        kinds, counts = np.unique(np.stack([found.county, place.rank]), axis=1, return_counts=True)
        for (county, rank), n in zip(kinds.T.tolist(), counts.tolist(), strict=True):
            by_county.setdefault(f"{county:06d}", {})[rank] = n
    people = await populations.newest(tx, counties)
    return [
        Overlaid(t.county, t.name, t.area_km2, t.share, by_county.get(t.county, {}), people.get(t.county))
        for t in sorted(touched, key=lambda t: -t.area_km2)
    ]  # fmt: skip


async def difference(tx: Tx, old_zone: UUID, new_zone: UUID) -> Difference:
    """What the new version changes, among the households this transaction may see. Either may be a draft: both are measured afresh."""
    old, new = await _same_incident(tx, old_zone, new_zone)
    old_bands, new_bands = await zones.bands(tx, old_zone), await zones.bands(tx, new_zone)
    before = {t.county: t.name for t in await zones.counties(tx, old_zone)}
    after = {t.county: t.name for t in await zones.counties(tx, new_zone)}
    found = await locations.places(tx, sorted(before.keys() | after.keys()), old.incident, old_zone)
    was, now_ = await _both(found, old_bands, new_bands)
    gained, lost = await sandbox.difference([b.geometry for b in old_bands], [b.geometry for b in new_bands])
    return Difference(
        old=old_zone,
        new=new_zone,
        old_km2=old.area_km2,
        new_km2=new.area_km2,
        gained_km2=gained,
        lost_km2=lost,
        counties_in=[Area(code, after[code]) for code in sorted(after.keys() - before.keys())],
        counties_out=[Area(code, before[code]) for code in sorted(before.keys() - after.keys())],
        moves=_moves(found, was, now_, old_bands, new_bands),
    )


async def moved(tx: Tx, county: str, old_zone: UUID, new_zone: UUID) -> Moved:
    """The households of one county that came in and that went out."""
    old, _ = await _same_incident(tx, old_zone, new_zone)
    found = await locations.places(tx, [county], old.incident, old_zone)
    was, now_ = await _both(found, await zones.bands(tx, old_zone), await zones.bands(tx, new_zone))
    return Moved(came_in=found.ids((was < 0) & (now_ >= 0)), went_out=found.ids((was >= 0) & (now_ < 0)))


async def _same_incident(tx: Tx, old_zone: UUID, new_zone: UUID) -> tuple[zones.Zone, zones.Zone]:
    old, new = await zones.get(tx, old_zone), await zones.get(tx, new_zone)
    if old.incident != new.incident:
        raise Invalid("other_incident", "两个版本不属于同一灾害 · the two versions belong to different incidents")
    return old, new


async def _both(found: Places, old: Sequence[Band], new: Sequence[Band]) -> tuple[Any, Any]:
    no_doubt = np.zeros(len(found.lon))
    sides = [await asyncio.to_thread(geometry.ranks, [b.geometry for b in bands], found.lon, found.lat, no_doubt) for bands in (old, new)]
    return sides[0].rank, sides[1].rank


def _moves(found: Places, was: Any, now_: Any, old: Sequence[Band], new: Sequence[Band]) -> list[BandMove]:
    old_levels, new_levels = ({b.rank: b.level for b in bands} for bands in (old, new))
    kinds, counts = np.unique(np.stack([found.county, was, now_]), axis=1, return_counts=True)
    return [
        BandMove(f"{county:06d}", a, old_levels.get(a), b, new_levels.get(b), n)
        for (county, a, b), n in zip(kinds.T.tolist(), counts.tolist(), strict=True)
    ]
