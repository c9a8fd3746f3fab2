"""How a page looks: colours for light, dark and paper, and the one style sheet. Nothing is fetched, no font either.

What says something by its colour says it in words or with a sign as well.
"""

from __future__ import annotations

import base64
import functools
import hashlib

PALETTE = {
    "page": ("#ffffff", "#0e1318"),
    "panel": ("#f4f6f8", "#171e26"),
    "ink": ("#17202a", "#e6ecf2"),
    "muted": ("#51606e", "#a2b0be"),
    "rule": ("#d9dfe5", "#2c3844"),
    "link": ("#0b57a4", "#86beff"),
    "won": ("#0b6532", "#62d68b"),
    "lost": ("#a8102b", "#ff9a9f"),
    "line": ("#0b57a4", "#86beff"),
    "fall": ("#c9405a", "#c25562"),
    "up1": ("#e8f5ec", "#14301f"),
    "up2": ("#c6e8d0", "#184427"),
    "up3": ("#9bd8ad", "#1c5931"),
    "up4": ("#68c485", "#206c3a"),
    "down1": ("#fdecec", "#361a1d"),
    "down2": ("#fad0d0", "#4f2024"),
    "down3": ("#f4adad", "#69262c"),
    "down4": ("#ee8888", "#822c35"),
    "line1": ("#0b57a4", "#86beff"),
    "line2": ("#a34700", "#ffab66"),
    "line3": ("#00706b", "#4fd1c5"),
    "line4": ("#8a2b9c", "#d9a1e6"),
    "line5": ("#6b6400", "#d6cb4f"),
    "line6": ("#b0125b", "#ff8fbf"),
    "line7": ("#3d6b00", "#a3d65c"),
    "line8": ("#4f5b66", "#b8c4cf"),
}
"""A colour's name, on light and on dark."""

STEPS = 4
"""Shades of heat on each side of nothing: `up1` to `up4`, `down1` to `down4`."""

_RULES = """
*{box-sizing:border-box}
html{color-scheme:light dark;scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
sans-serif}
header,main,footer{max-width:1220px;margin:0 auto;padding:0 24px}
header{padding-top:36px}
h1{font-size:30px;line-height:1.2;letter-spacing:-.01em;margin:0 0 6px;overflow-wrap:anywhere}
h1 span{display:block;font-size:12px;letter-spacing:.09em;text-transform:uppercase;color:var(--muted);
margin-bottom:6px}
h1 i{position:absolute;left:-9999px}
h2{font-size:20px;letter-spacing:-.005em;margin:52px 0 14px;padding-top:14px;border-top:2px solid var(--ink)}
h3{font-size:15px;margin:26px 0 6px}
p{margin:6px 0;max-width:78ch}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-9999px}
.skip:focus{left:12px;top:12px;padding:6px 12px;background:var(--page);z-index:2}
.muted,figcaption,caption{color:var(--muted)}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:6px 20px;padding:12px 0 0;margin:18px 0 0;font-size:14px;
border-top:1px solid var(--rule)}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
.cards{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:0}
.cards div{background:var(--panel);border-radius:8px;padding:14px 16px;min-width:0}
.cards dt{font-size:13px}
.cards dt a{color:var(--muted);text-decoration:underline dotted;text-underline-offset:3px}
.cards dd{margin:2px 0 0;font-size:24px;line-height:1.25;font-weight:650;font-variant-numeric:tabular-nums}
.cards dd small{display:block;font-size:12px;font-weight:400;color:var(--muted)}
.won{color:var(--won)}
.lost{color:var(--lost)}
.notable{list-style:none;margin:0;padding:0;max-width:100ch}
.notable li{background:var(--panel);border-left:4px solid var(--muted);border-radius:0 6px 6px 0;padding:9px 14px;
margin:0 0 8px}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:0 40px}
.two>*{min-width:0}
figure{margin:12px 0 26px}
figure svg{display:block;width:100%;overflow:visible}
figcaption{font-size:13px;margin-top:6px;max-width:125ch}
figcaption b{font-weight:600;color:var(--ink)}
.grid{stroke:var(--rule)}
.zero{stroke:var(--muted)}
.curve,.price{fill:none;stroke:var(--line);stroke-width:1.75;stroke-linejoin:round;vector-effect:non-scaling-stroke}
.area{fill:var(--line);opacity:.1}
.sunk .curve{stroke:var(--fall)}
.sunk .area{fill:var(--fall);opacity:.16}
.whole{stroke:var(--ink);stroke-width:3}
.logarithmic,#curves:has(#scale-logarithmic:checked) .linear{display:none}
#curves:has(#scale-logarithmic:checked) .logarithmic{display:block}
.band{fill:var(--fall)}
.mark{fill:var(--page);stroke:var(--fall);stroke-width:2}
figure text{fill:var(--muted);font-size:12px;paint-order:stroke;stroke:var(--page);stroke-width:4px;
stroke-linejoin:round}
.price{stroke-width:1.25;stroke:var(--ink)}
.range{fill:var(--muted);opacity:.3}
.zone{opacity:.16}
.target{fill:var(--won)}
.stop{fill:var(--lost)}
.way{stroke:var(--ink);stroke-width:1.25;stroke-dasharray:3 2}
.enter{fill:var(--link);stroke:var(--page);stroke-width:1}
.leave{fill:var(--page);stroke:var(--muted);stroke-width:2}
.leave.won{fill:var(--won);stroke:var(--page);stroke-width:1}
.leave.lost{fill:none;stroke:var(--lost);stroke-width:2.5}
g:hover>.way{stroke-width:3}
g:hover>rect{opacity:.75}
.dot{fill:none;stroke:var(--muted);stroke-width:1.5}
.dot.won{fill:var(--won);stroke:var(--page);stroke-width:.75}
.dot.lost{stroke:var(--lost)}
.most{fill:var(--line)}
.some{fill:var(--line);opacity:.35}
.keys{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;padding:0;margin:4px 0 10px;font-size:13px;
color:var(--muted)}
.key{width:26px;height:12px;margin-right:6px;vertical-align:-1px;overflow:visible}
.bar{width:120px;height:10px;vertical-align:middle}
.bar rect{fill:var(--line)}
.wide{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;margin:8px 0}
caption{text-align:left;font-size:13px;padding-bottom:6px}
caption span{display:inline-block;position:sticky;left:0;max-width:calc(100vw - 48px)}
th,td{padding:6px 9px;border-bottom:1px solid var(--rule);text-align:right;vertical-align:top;white-space:nowrap}
th{font-weight:600}
thead th{color:var(--muted);vertical-align:bottom;white-space:normal;border-bottom-color:var(--muted)}
tbody th{position:sticky;left:0;background:var(--page)}
th:first-child,td:first-child{text-align:left;padding-left:0}
tbody tr:hover,tbody tr:hover th{background:var(--panel)}
.last{font-weight:600}
th button{all:unset;cursor:pointer;font-weight:600}
th button:focus-visible{outline:3px solid var(--link);outline-offset:2px}
th[aria-sort] button{color:var(--ink)}
th[aria-sort=ascending] button::after{content:" \\2191"}
th[aria-sort=descending] button::after{content:" \\2193"}
.signals td:nth-child(-n+3),.signals th:nth-child(-n+3),.signals :is(td,th):nth-last-child(4),
.signals :is(td,th):nth-last-child(-n+2),.open td:nth-child(-n+5),.open th:nth-child(-n+5),.provenance td,
.provenance th,
.figures td,.figures th,.bars :is(td,th):last-child{text-align:left}
.signals td:nth-last-child(4),.signals td:nth-last-child(2),.figures td{white-space:normal;overflow-wrap:anywhere}
.signals td:nth-last-child(4){min-width:112px;max-width:300px}
.signals td:nth-last-child(2){min-width:110px;max-width:340px}
.signals td:last-child,.open td:last-child,.provenance td{font-family:ui-monospace,monospace;font-size:12px}
.signals .won,.signals .lost{color:inherit}
.signals .won td:nth-child(8){color:var(--won)}
.signals .lost td:nth-child(8){color:var(--lost)}
.figures{width:100%;max-width:900px;table-layout:fixed}
.heat td,.heat tbody th{border:1px solid var(--page)}
.heat .lack{white-space:normal;min-width:104px}
.hours{font-size:12px}
.hours td,.hours thead th{padding:5px 3px;min-width:40px;text-align:center}
.filter{border:0;padding:0;margin:8px 0;display:flex;flex-wrap:wrap;align-items:center;gap:6px 18px}
.filter legend{float:left;color:var(--muted);margin-right:18px}
.filter label{display:inline-flex;align-items:center;gap:6px}
.filter input{accent-color:var(--link)}
.filter input[type=search]{font:inherit;color:inherit;background:var(--page);border:1px solid var(--muted);
border-radius:6px;padding:3px 8px;width:190px}
summary{cursor:pointer;padding:5px 0}
.keys+details{margin-top:8px}
th details{font-weight:400}
th summary{font-weight:600;padding:0}
th details p{white-space:normal;color:var(--muted);margin:2px 0 4px}
p:target{background:var(--up1);color:var(--ink)}
.settings{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;font-size:13px;margin:6px 0}
.settings dd{margin:0;font-family:ui-monospace,monospace;overflow-wrap:anywhere}
footer{margin-top:56px;padding-bottom:48px;font-size:13px}
footer h2{font-size:16px;border-top-color:var(--rule)}
@media (max-width:820px){
.cards{grid-template-columns:1fr 1fr}
}
@media (max-width:640px){
header,main,footer{padding-left:16px;padding-right:16px}
header{padding-top:22px}
h1{font-size:24px}
h2{margin-top:40px}
.cards{gap:8px}
.cards div{padding:10px 12px}
.cards dd{font-size:20px}
.between{display:none}
.figures th,.figures td{white-space:normal}
}
@media (prefers-reduced-motion:reduce){
html{scroll-behavior:auto}
}
@page{margin:14mm}
@media print{
.bar{width:60px}
body{font-size:10pt}
header,main,footer{max-width:none;padding:0}
h2{margin-top:26px}
nav,.skip,.filter{display:none}
.cards div,.notable li{border:1px solid var(--rule);background:none}
.wide{overflow:visible}
table{font-size:7.5pt}
th,td{padding:2px 4px}
.signals{width:100%;font-size:6.5pt}
.signals :is(td,th):nth-child(n){white-space:normal;min-width:0;overflow-wrap:anywhere}
.signals :is(td,th):last-child{display:none}
.hours td,.hours thead th{min-width:0;padding:2px 1px;font-size:6pt}
.figures details::details-content{content-visibility:visible;display:block}
thead{display:table-header-group}
tbody th{position:static;background:none}
tr,figure,.cards div,.notable li{break-inside:avoid}
h2,h3{break-after:avoid}
tbody tr:hover,tbody tr:hover th{background:none}
.heat td,.zone,.range,.area,.band,.most,.some,.bar rect{print-color-adjust:exact;-webkit-print-color-adjust:exact}
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
        *(f".line{number}{{stroke:var(--line{number})}}\n" for number in range(1, 9)),
        *(f".dense{step}{{fill:var(--line);opacity:{step / STEPS:g}}}\n" for step in range(1, STEPS + 1)),
        *(narrowed.format(kept) for kept in _FILTERS),
    )
    return "".join(parts)


@functools.cache
def style_hash() -> str:
    """What a page's policy names it by."""
    return base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()


def _colours(index: int) -> str:
    return ";".join(f"--{name}:{colours[index]}" for name, colours in PALETTE.items())
