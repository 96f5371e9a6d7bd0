"""Write the gate's comment on a pull request, in place of its earlier one: comment.py NUMBER FILE.

Reads TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL. The standard library alone; the file's text is data throughout.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.request import HTTPRedirectHandler, Request, build_opener

MARKER = "<!-- seatrial-gate -->"
LONGEST = 65_000
SECONDS = 30
MOST_PAGES = 20


class _NoRedirect(HTTPRedirectHandler):
    """A token goes nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def call(method: str, url: str, body: Any = None) -> Any:
    """Ask GitHub's API."""
    headers = {
        "Authorization": f"Bearer {os.environ['TOKEN']}",
        "Accept": "application/vnd.github+json",
        "Content-Type": "application/json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "seatrial-gate",
    }
    data = None if body is None else json.dumps(body).encode()
    with build_opener(_NoRedirect).open(Request(url, data, headers, method=method), timeout=SECONDS) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")


def is_ours(comment: Any) -> bool:
    """Whether a comment is the gate's own: a stranger may write the marker too, but not as a bot."""
    user = comment.get("user") or {}
    return user.get("type") == "Bot" and str(comment.get("body") or "").startswith(MARKER)


def main(number: str, file: str) -> int:
    """Replace the gate's comment, or write one."""
    repository = os.environ.get("GITHUB_REPOSITORY", "")
    api = os.environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    if not re.fullmatch(r"[0-9]{1,9}", number) or not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        sys.stderr.write("comment: no pull request's number, or no repository\n")
        return 2
    text = Path(file).read_text(encoding="utf-8", errors="replace")[:LONGEST]
    base = f"{api}/repos/{repository}/issues"
    for page in range(1, MOST_PAGES + 1):
        comments = call("GET", f"{base}/{number}/comments?per_page=100&page={page}")
        mine = next((comment for comment in comments if is_ours(comment)), None)
        if mine is not None:
            call("PATCH", f"{base}/comments/{int(mine['id'])}", {"body": text})
            return 0
        if len(comments) < 100:
            break
    call("POST", f"{base}/{number}/comments", {"body": text})
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
