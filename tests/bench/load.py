"""Loading a register: an XLSX of people row by row, read in the cage, judged, staged, confirmed and registered with everything on."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence

from relief.demo import numbers
from relief.services import load
from relief.store import db
from tests.bench import world
from tests.bench.harness import JUDGED_FROM, Figure, Line, judge, place, timed, watch
from tests.make import LUDING, NOW, VILLAGE, staff
from tests.sheets.makers import HEADINGS, MAIN, RELS

#: A hundred thousand rows in a minute; five thousand rows a second are the aim.
MADE_FOR, MOST_S = 100_000, 60.0
#: People of a household.
_SIZE = 4


async def run(rows: int) -> Sequence[Figure]:
    """`rows` people in households of four."""
    content = workbook(rows)
    async with place() as here:
        at = await world.event(here.owner)
        clerk = await staff(here.owner, ("township_reviewer", LUDING))
        with watch(here) as reading:
            upload = await load.read(content, "a.xlsx")
        with watch(here) as staging:
            async with db.begin(here.house.pool) as tx:
                staged = await load.stage(tx, clerk, LUDING, at.incident, upload, NOW, here.house.keys)
        assert (staged.rows, staged.faults) == (rows, 0), staged
        with watch(here) as loading:
            async with db.begin(here.house.pool) as tx:
                await load.confirm(tx, clerk, LUDING, staged.id, NOW)
            done = 1
            while done:
                async with db.begin(here.house.pool) as tx:
                    done = await load.advance(tx, NOW, here.house.keys)
        assert await here.owner.fetchval("SELECT count(*) FROM person") == rows
    whole = reading + staging + loading
    return [
        timed("load", rows, whole, MOST_S, MADE_FOR),
        Line(
            name="load rate", rows=rows, unit="rows/s", value=round(rows / whole.seconds), promise="≥ 1,667 rows/s (aim 5,000)",
            kept=judge(rows / whole.seconds >= MADE_FOR / MOST_S, rows, JUDGED_FROM),
        ),
        *(
            Line(name=f"load: {name}", rows=rows, seconds=round(w.seconds, 2), cpu_s=round(w.cpu_s, 2), unit="s", value=round(w.seconds, 2))
            for name, w in (("read in the cage", reading), ("judged and staged", staging), ("registered", loading))
        ),
    ]  # fmt: skip


def workbook(rows: int) -> bytes:
    """As Excel writes it: every text once, cells naming them by number."""
    texts: dict[str, int] = {}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        z.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELS}"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        z.writestr(
            "xl/_rels/workbook.xml.rels", '<Relationships xmlns="x"><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>'
        )
        with z.open("xl/worksheets/sheet1.xml", "w") as part:
            part.write(f'<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            for n, line in enumerate(_lines(rows), 1):
                cells = "".join(
                    f'<c r="{chr(65 + i)}{n}" t="s"><v>{texts.setdefault(text, len(texts))}</v></c>' for i, text in enumerate(line) if text
                )
                part.write(f'<row r="{n}">{cells}</row>'.encode())
            part.write(b"</sheetData></worksheet>")
        z.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">' + "".join(f"<si><t>{t}</t></si>" for t in texts) + "</sst>")
    return out.getvalue()


def _lines(rows: int) -> Iterator[Sequence[str]]:
    yield (*HEADINGS, "手机号", "倒塌间数")
    for n in range(rows):
        home, seat = divmod(n, _SIZE)
        if seat == 0:
            yield (
                f"H{home}", "户主", "甄演一", numbers.householder_id(home), VILLAGE, "农村信用社", numbers.account(home), numbers.mainland_phone(home), "2",
            )  # fmt: skip
        else:
            yield f"H{home}", "子女", "甄演二", numbers.member_id(n), "", "", "", "", ""
