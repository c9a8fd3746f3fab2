"""How a page looks: colours for light, dark and paper, and the one style sheet. Nothing is fetched, no font either.

What says something by its colour says it in words or with a sign as well.
"""

from __future__ import annotations

import base64
import functools
import hashlib

PALETTE = {
    "page": ("#ffffff", "#0f1419"),
    "panel": ("#f5f7f9", "#182029"),
    "ink": ("#1b1f24", "#e8eef4"),
    "muted": ("#545d68", "#a3b0bd"),
    "rule": ("#d4dae0", "#33404d"),
    "link": ("#0a57a6", "#84bdff"),
    "won": ("#0f6130", "#63d58a"),
    "lost": ("#a50d28", "#ff9c9c"),
    "line": ("#0a57a6", "#84bdff"),
    "fall": ("#f3a9a9", "#69262c"),
    "up1": ("#e8f5ec", "#14301f"),
    "up2": ("#c6e8d0", "#184427"),
    "up3": ("#9bd8ad", "#1c5931"),
    "up4": ("#68c485", "#206c3a"),
    "down1": ("#fdecec", "#361a1d"),
    "down2": ("#fad0d0", "#4f2024"),
    "down3": ("#f4adad", "#69262c"),
    "down4": ("#ee8888", "#822c35"),
}
"""A colour's name, on light and on dark."""

STEPS = 4
"""Shades of heat on each side of nothing: `up1` to `up4`, `down1` to `down4`."""

_RULES = """
*{box-sizing:border-box}
html{color-scheme:light dark;scroll-behavior:smooth}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
header,main,footer{max-width:1180px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:19px;margin:40px 0 10px;padding-bottom:4px;border-bottom:1px solid var(--rule)}
h3{font-size:15px;margin:20px 0 6px}
p{margin:6px 0;max-width:75ch}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-9999px}
.skip:focus{left:12px;top:12px;padding:6px 12px;background:var(--page);z-index:1}
main ul{padding-left:20px;max-width:90ch}
.muted,figcaption,caption{color:var(--muted)}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;padding:0;margin:14px 0 0}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:10px;margin:22px 0 0}
.cards div{background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:10px 14px}
.cards dt{color:var(--muted);font-size:13px}
.cards dd{margin:0;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}
.cards dd small{display:block;font-size:12px;font-weight:400;color:var(--muted)}
.won{color:var(--won)}
.lost{color:var(--lost)}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:0 36px}
.two>*{min-width:0}
figure{margin:14px 0 22px}
figure svg{display:block;width:100%;overflow:visible}
figcaption{font-size:13px;margin-top:2px}
.grid{stroke:var(--rule)}
.zero{stroke:var(--muted)}
.curve{fill:none;stroke:var(--line);stroke-width:1.75;vector-effect:non-scaling-stroke}
.area{fill:var(--line);opacity:.13}
.sunk .curve{stroke:var(--lost)}
.sunk .area{fill:var(--lost);opacity:.16}
.logarithmic,#curves:has(#scale-logarithmic:checked) .linear{display:none}
#curves:has(#scale-logarithmic:checked) .logarithmic{display:block}
.band{fill:var(--fall);opacity:.28}
.mark{fill:var(--page);stroke:var(--lost);stroke-width:2}
figure text{fill:var(--muted);font-size:12px;paint-order:stroke;stroke:var(--page);stroke-width:4px}
.bar{width:120px;height:10px;vertical-align:middle}
.bar rect{fill:var(--line)}
.wide{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;margin:8px 0}
caption{text-align:left;font-size:13px;padding-bottom:4px}
th,td{padding:5px 8px;border-bottom:1px solid var(--rule);text-align:right;vertical-align:top;white-space:nowrap}
th{font-weight:600}
thead th{color:var(--muted);vertical-align:bottom;white-space:normal}
tbody th{position:sticky;left:0;background:var(--page)}
th:first-child,td:first-child{text-align:left;padding-left:0}
tbody tr:hover,tbody tr:hover th{background:var(--panel)}
.last{font-weight:600}
.signals td:nth-child(-n+4),.signals th:nth-child(-n+4),.signals :is(td,th):nth-child(n+10),
.open td:nth-child(-n+5),.open th:nth-child(-n+5),.provenance td,.provenance th,.figures td,.figures th,
.bars :is(td,th):last-child{text-align:left}
.signals :is(td,th):nth-child(11){text-align:right}
.signals td:nth-child(n+10),.figures td{white-space:normal;overflow-wrap:anywhere}
.signals td:nth-child(10){min-width:110px;max-width:300px}
.signals td:nth-child(12){min-width:190px;max-width:340px}
.signals td:last-child{white-space:nowrap}
.signals td:last-child,.open td:last-child,.provenance td{font-family:ui-monospace,monospace;font-size:12px}
.signals .won,.signals .lost{color:inherit}
.signals .won td:nth-child(9){color:var(--won)}
.signals .lost td:nth-child(9){color:var(--lost)}
.figures{width:100%}
.figures th,.figures td{width:50%}
.heat td,.heat tbody th{border:1px solid var(--page)}
.filter{border:0;padding:0;margin:8px 0;display:flex;flex-wrap:wrap;gap:4px 18px}
.filter legend{float:left;color:var(--muted);margin-right:18px}
summary{cursor:pointer;padding:3px 0}
details details,th details{font-weight:400}
th summary{font-weight:600;padding:0}
th details p{white-space:normal;color:var(--muted);margin:2px 0 4px}
footer{border-top:1px solid var(--rule);margin-top:48px;padding-top:4px;padding-bottom:40px}
footer h2{border:0;margin-top:12px}
@media (max-width:640px){
header,main,footer{padding-left:14px;padding-right:14px}
h1{font-size:21px}
.cards{grid-template-columns:1fr 1fr}
.between{display:none}
.figures{table-layout:fixed}
.figures th,.figures td{white-space:normal}
}
@media print{
body{font-size:10.5pt}
header,main,footer{max-width:none;padding:0}
nav,.skip,.filter{display:none}
.wide{overflow:visible}
table{font-size:7.5pt}
th,td{padding:2px 4px}
.signals :is(td,th):nth-child(n){white-space:normal;min-width:0}
thead{display:table-header-group}
tbody th{position:static}
tr,figure,.cards div{break-inside:avoid}
h2,h3{break-after:avoid}
tbody tr:hover,tbody tr:hover th{background:none}
}
"""

_FILTERS = ("won", "lost", "cancelled", "rejected")
"""What the table of signals can be narrowed to; without `:has` a browser shows all."""


@functools.cache
def style() -> str:
    """The style sheet, colours first."""
    light, dark = (_colours(index) for index in (0, 1))
    shades = [f"{way}{step}" for way in ("up", "down") for step in range(1, STEPS + 1)]
    narrowed = "#signals:has(#show-{0}:checked) .signals tbody tr:not(.{0}){{display:none}}\n"
    parts = (
        f"\n:root{{{light}}}\n",
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}",
        _RULES,
        *(f".{shade}{{background:var(--{shade})}}\n" for shade in shades),
        *(narrowed.format(kept) for kept in _FILTERS),
    )
    return "".join(parts)


@functools.cache
def policy() -> str:
    """The content security policy: this style sheet and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _colours(index: int) -> str:
    return ";".join(f"--{name}:{colours[index]}" for name, colours in PALETTE.items())
