"""Take the README's pictures, the asset graph in the Dagster UI and the dashboard, from a real run in Chromium.

uv run python tools/pictures.py [project]     # default: build/data-platform, which tools/demo.py makes
"""

import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap import ROOT, clean_environment, say, stop, uv
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chrome.service import Service

PICTURES = ROOT / "docs" / "pictures"
PORT = 38917


def main(project: Path) -> None:
    """Write both pictures into docs/pictures.

    Raises:
        SystemExit: where the project has not been materialised yet.
    """
    page = project / "dashboards" / "flights.html"
    if not page.exists():
        sys.exit(f"{page} is not there: run python3 tools/demo.py first")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with browser(1400, 1250) as chromium:
        chromium.get(page.as_uri())
        time.sleep(3)  # charts draw themselves in
        shoot(chromium, "dashboard.png")
    with web_server(project), browser(1500, 1250) as chromium:
        chromium.get(f"http://127.0.0.1:{PORT}/asset-groups")
        time.sleep(15)  # the layout is computed in a worker, and statuses arrive one by one
        ActionChains(chromium).key_down(Keys.ALT).send_keys("e").key_up(Keys.ALT).perform()  # expands all groups
        time.sleep(10)
        ActionChains(chromium).move_by_offset(1350, 1000).double_click().perform()  # centres the graph
        time.sleep(5)
        zoom_out = ActionChains(chromium).move_by_offset(122, -42)  # from there to the button
        for _ in range(3):
            zoom_out = zoom_out.click().pause(1)
        zoom_out.perform()
        time.sleep(5)
        shoot(chromium, "asset-graph.png")


def shoot(chromium: webdriver.Chrome, name: str) -> None:
    """Save what the browser shows."""
    chromium.save_screenshot(str(PICTURES / name))
    say(f"   docs/pictures/{name}")


@contextmanager
def browser(width: int, height: int) -> Iterator[webdriver.Chrome]:
    """A headless Chromium that talks to nobody by itself."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    with tempfile.TemporaryDirectory() as profile:
        for flag in (
            "headless=new",
            "no-sandbox",
            "disable-gpu",
            "disable-quic",
            "no-first-run",
            "disable-sync",
            "disable-background-networking",
            "disable-component-update",
            f"user-data-dir={profile}",
            f"window-size={width},{height}",
            "hide-scrollbars",
        ):
            options.add_argument(f"--{flag}")
        chromium = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            yield chromium
        finally:
            chromium.quit()


@contextmanager
def web_server(project: Path) -> Iterator[None]:
    """`dg dev` of a project, ready to answer."""
    command = [uv(), "run", "--no-sync", "dg", "dev", "--host", "127.0.0.1", "--port", str(PORT)]
    server = subprocess.Popen(
        command,
        cwd=project,
        env=clean_environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while not answers() and time.monotonic() < deadline:
            time.sleep(1)
        yield
    finally:
        stop(server)


def answers() -> bool:
    """Whether the web server is up."""
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{PORT}/server_info", timeout=5).status == 200
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "data-platform").resolve())
