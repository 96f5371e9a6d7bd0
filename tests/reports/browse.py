"""Opens HTML files in Chromium and prints, as JSON, what went wrong or would not fit. A process of its own: the
browser driver leaves an event loop running."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOOK = """() => {
  document.querySelectorAll("details").forEach(d => d.open = true);
  const all = [...document.querySelectorAll("body *")];
  const inside = e => e.closest(".scroll, .text") !== null || e.closest("svg") !== null;
  const right = document.documentElement.clientWidth + 1;
  return {
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    wide: all.filter(e => !inside(e) && e.getBoundingClientRect().right > right && !e.closest(".hidden"))
             .slice(0, 5).map(e => e.outerHTML.slice(0, 120)),
    paper: getComputedStyle(document.body).backgroundColor,
    rubrics: document.querySelectorAll(".rubrics tbody tr").length,
    touching: [...document.querySelectorAll("svg.axis")].filter(axis => {
      const shown = [...axis.querySelectorAll("text")].map(t => t.getBoundingClientRect()).filter(r => r.width);
      return shown.some((r, i) => i && r.left < shown[i - 1].right + 2);
    }).length,
    cut: [...document.querySelectorAll(".evidence")].filter(e => e.scrollWidth > e.parentElement.clientWidth).length,
    charts: [...document.querySelectorAll(".multiple")].map(e => e.querySelector(".draw").clientWidth / e.clientWidth),
    flips: [...document.querySelectorAll(".flip")].filter(e => e.offsetParent !== null).length,
  };
}"""


def look(browser: Browser, path: Path, width: int, scheme: str) -> dict:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    faults: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    found = page.evaluate(LOOK)
    for value in ("gained", "lost"):
        button = page.locator(f".by-dir input[value={value}]").first
        if button.count():
            button.check()
            found[value] = page.evaluate(LOOK)["flips"]
    page.close()
    return {**found, "faults": faults, "requests": [url for url in requests if url != path.as_uri()]}


def main(paths: list[str]) -> None:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        found = {
            f"{Path(path).stem} {width} {scheme}": look(browser, Path(path), width, scheme)
            for path in paths
            for width in (390, 1280)
            for scheme in ("light", "dark")
        }
        browser.close()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
