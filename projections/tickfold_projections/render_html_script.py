"""The one script of a page, which needs none: it lets the table of signals be sorted and searched.

Its hash stands in the page's policy, so nothing else runs. It fetches nothing, and writes nothing into the page but
buttons, a field and the order of rows; without it every row is there, and can still be narrowed by kind.
"""

from __future__ import annotations

import base64
import hashlib

SCRIPT = """
"use strict";
(() => {
  const section = document.getElementById("signals");
  const tables = section ? [...section.querySelectorAll("table.signals")] : [];
  if (!tables.length) return;
  const [main] = tables;
  const body = main.tBodies[0];
  const heads = table => [...table.tHead.rows[0].cells];
  const value = (row, column) => {
    const said = row.cells[column].textContent.trim();
    const plain = said.replace(/ %$/, "");
    return said === "" ? null : /^[+-]?[\\d.]+(e[+-]?\\d+)?$/i.test(plain) ? Number(plain) : said;
  };
  const compare = (a, b) =>
    a === b ? 0 : a === null ? 1 : b === null ? -1 :
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
  let gathered = tables.length === 1;
  const gather = () => {
    if (gathered) return;
    gathered = true;
    const first = main.closest("details");
    for (const table of tables.slice(1)) body.append(...table.tBodies[0].rows);
    first.before(main.closest(".wide"));
    for (const each of section.querySelectorAll("details.month")) each.remove();
    main.caption.firstChild.textContent = "Signals that ended";
  };
  const sort = column => {
    gather();
    const down = heads(main)[column].getAttribute("aria-sort") === "ascending";
    for (const [place, head] of heads(main).entries())
      place === column ? head.setAttribute("aria-sort", down ? "descending" : "ascending")
                       : head.removeAttribute("aria-sort");
    const keyed = [...body.rows].map(row => [value(row, column), row]);
    keyed.sort(([a], [b]) => a === null || b === null ? compare(a, b) : (down ? -1 : 1) * compare(a, b));
    body.append(...keyed.map(([, row]) => row));
  };
  for (const table of tables)
    for (const [column, head] of heads(table).entries()) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.title = "Sort by this column";
      button.addEventListener("click", () => { sort(column); heads(main)[column].firstChild.focus(); });
      head.replaceChildren(button);
    }
  const label = document.createElement("label"), field = document.createElement("input");
  const count = document.createElement("output");
  field.type = "search";
  label.append("Find ", field, " ", count);
  section.querySelector("fieldset.filter").append(label);
  field.addEventListener("input", () => {
    gather();
    const wanted = field.value.toLowerCase();
    let shown = 0;
    for (const row of body.rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    count.textContent = wanted ? `${shown} of ${body.rows.length}` : "";
  });
})();
"""


def script_hash() -> str:
    """What the policy names it by."""
    return base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
